/** Rows selected by index, and weighted sums of rows. */
import { offset } from '../address.js';
import { address, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** A chunk of out[i] = x[index[i]]. An index of `limit` or more gives the row at `fill`, or zeros if `fill` is NONE. */
export const gatherRows = defineTask(
  {
    x: address,
    index: address,
    out: address,
    rows: number,
    columns: number,
    limit: number,
    fill: address,
    chunkRows: number,
  },
  ({ kernels }, chunk, { x, index, out, rows, columns, limit, fill, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const [to, from] = [offset(out, first * columns), offset(index, first)];
    kernels.gatherRows({ out: to, x, index: from, rows: count, columns, limit, fill });
  },
);

/** A chunk's part of Σ weights[i]·x[i]: `parts` [chunks, columns], still to be summed. */
export const sumWeightedRows = defineTask(
  { x: address, weights: address, parts: address, rows: number, columns: number, chunkRows: number },
  ({ kernels }, chunk, { x, weights, parts, rows, columns, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const sums = offset(parts, chunk * columns);
    kernels.fill({ out: sums, count: columns, value: 0 });
    const [from, by] = [offset(x, first * columns), offset(weights, first)];
    kernels.addWeightedRows({ x: from, weights: by, rows: count, columns, sums });
  },
);
