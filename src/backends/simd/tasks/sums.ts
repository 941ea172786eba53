/** Sums in place, and sums of squares. */
import { offset } from '../address.js';
import { address, number, recordFormat } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** A chunk of sum ← sum + term. */
export const accumulate = defineTask(
  { sum: address, term: address, total: number, size: number },
  ({ kernels }, chunk, { sum, term, total, size }) => {
    const { first, count } = span(chunk, size, total);
    const a = offset(sum, first);
    kernels.add({ a, b: offset(term, first), out: a, rows: 1, columns: count, aRow: 0, bRow: 0, aStep: 1, bStep: 1 });
  },
);

/** A row of the table of {@link sumOfSquares}: a run of `count` floats. The task writes its sum in the last field. */
export const SQUARES_ROW = recordFormat({ x: address, count: number, sum: number });

/** The sum of the squares of the run in row `chunk` of the table. */
export const sumOfSquares = defineTask({ table: address }, ({ kernels, memory }, chunk, { table }) => {
  const { words } = SQUARES_ROW;
  const numbers = new Float64Array(memory.buffer, table + 8 * words * chunk, words);
  const { x, count } = SQUARES_ROW.read(numbers);
  SQUARES_ROW.write(numbers, { x, count, sum: kernels.sumOfSquares({ x, count }) });
});
