/** VitAccumulate and VitSumOfSquares: src/ops/accumulate.ts and sum-of-squares.ts describe them. */
import { sizeOf } from '../../kernels.js';
import { FLOAT, offset } from '../address.js';
import { CHUNK } from '../tasks/chunks.js';
import { SQUARES_ROW } from '../tasks/sums.js';
import { defineKernel } from './kernel.js';

/** Adds in place, so the sum stays at its address. */
export const accumulate = defineKernel('VitAccumulate', (backend, { sum, term }) => {
  const total = sizeOf(sum!.shape);
  backend.perform(() => {
    backend.dropBfloat16(sum!.dataId);
  });
  backend.run('accumulate', Math.ceil(total / CHUNK), {
    sum: backend.address(sum!),
    term: backend.address(term!),
    total,
    size: CHUNK,
  });
  return [];
});

/** One job over all tensors, which are listed in a table. Each row has its own sum, so no sum depends on the threads. */
export const sumOfSquares = defineKernel('VitSumOfSquares', (backend, inputs) => {
  const out = backend.output([]);
  const value = backend.values(out);
  const runs = Object.values(inputs).flatMap((tensor) => {
    const total = sizeOf(tensor.shape);
    const first = backend.address(tensor);
    return Array.from({ length: Math.ceil(total / CHUNK) }, (_, i) => ({
      x: offset(first, i * CHUNK),
      count: Math.min(CHUNK, total - i * CHUNK),
      sum: 0,
    }));
  });
  const { words } = SQUARES_ROW;
  backend.withScratch(2 * FLOAT * words * runs.length, (table) => {
    const rows = new Float64Array(backend.heap.memory.buffer, table, words * runs.length);
    backend.perform((threads) => {
      for (const [i, run] of runs.entries()) SQUARES_ROW.write(rows.subarray(i * words, (i + 1) * words), run);
      threads.run('sumOfSquares', runs.length, { table });
      value[0] = runs.reduce((sum, _, i) => sum + rows[(i + 1) * words - 1]!, 0);
    });
  });
  return out;
});
