/** Products of batches of matrices, and softmax. */
import { offset } from '../address.js';
import { address, flag, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/**
 * A chunk of rows of one product; each product of the batch has `chunks` of them. op(A) is m×k, op(B) is k×n. `aBatch`
 * and `bBatch` are the floats from one matrix to the next, 0 if one matrix serves the whole batch.
 */
export const matMul = defineTask(
  {
    a: address,
    b: address,
    out: address,
    transposeA: flag,
    transposeB: flag,
    m: number,
    n: number,
    k: number,
    aBatch: number,
    bBatch: number,
    chunks: number,
    chunkRows: number,
  },
  ({ gemm }, chunk, { a, b, out, transposeA, transposeB, m, n, k, aBatch, bBatch, chunks, chunkRows }) => {
    const index = Math.floor(chunk / chunks);
    const { first, count } = span(chunk % chunks, chunkRows, m);
    gemm({
      m: count,
      n,
      k,
      transposeA,
      transposeB,
      a: offset(a, index * aBatch + first * (transposeA ? 1 : k)),
      lda: transposeA ? m : k,
      b: offset(b, index * bBatch),
      ldb: transposeB ? k : n,
      c: offset(out, (index * m + first) * n),
      ldc: n,
    });
  },
);

/** Softmax of a chunk of rows, which are copied from x first. */
export const softmax = defineTask(
  { x: address, out: address, rows: number, columns: number, chunkRows: number },
  ({ kernels }, chunk, { x, out, rows, columns, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const to = offset(out, first * columns);
    kernels.scatterRows({ x: offset(x, first * columns), out: to, rows: 1, columns: count * columns, stride: 0 });
    kernels.softmax({ x: to, rows: count, columns, stride: columns });
  },
);
