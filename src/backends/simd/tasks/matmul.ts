/** Products of batches of matrices. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/**
 * A chunk of rows of one product: `chunks` of them for each of the batch. op(A) is m×k, op(B) is k×n; `aBatch` and
 * `bBatch` are the floats from one matrix to the next, 0 where one serves all.
 */
export function matMul(
  { gemm }: Thread,
  chunk: number,
  a: number,
  b: number,
  out: number,
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  aBatch: number,
  bBatch: number,
  chunks: number,
  chunkRows: number,
): void {
  const index = Math.floor(chunk / chunks);
  const { first, count } = span(chunk % chunks, chunkRows, m);
  const fromA = a + FLOAT * (index * aBatch + first * (transposeA ? 1 : k));
  const fromB = b + FLOAT * index * bBatch;
  const to = out + FLOAT * (index * m + first) * n;
  const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n];
  gemm(transposeA ? 1 : 0, transposeB ? 1 : 0, count, n, k, 1, fromA, lda, fromB, ldb, 0, to, n);
}

/** Softmax of a chunk of rows, copied from x first. */
export function softmax(
  { kernels }: Thread,
  chunk: number,
  x: number,
  out: number,
  rows: number,
  columns: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const at = FLOAT * first * columns;
  kernels.scatterRows(x + at, out + at, 1, count * columns, 0);
  kernels.softmax(out + at, count, columns, columns);
}
