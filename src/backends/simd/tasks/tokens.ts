/** Rows picked by index, and weighted sums of rows. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/**
 * A chunk of out[i] = x[index[i]]; an index of `limit` or more takes the row at `fill`, or zeros where that is 0.
 */
export function gatherRows(
  { kernels }: Thread,
  chunk: number,
  x: number,
  index: number,
  out: number,
  rows: number,
  columns: number,
  limit: number,
  fill: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  kernels.gatherRows(out + FLOAT * first * columns, x, index + FLOAT * first, count, columns, limit, fill);
}

/** A chunk's part of Σ weights[i]·x[i]: `parts` [chunks, columns], to be summed. */
export function sumWeightedRows(
  { kernels }: Thread,
  chunk: number,
  x: number,
  weights: number,
  parts: number,
  rows: number,
  columns: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const out = parts + FLOAT * chunk * columns;
  kernels.fill(out, columns, 0);
  kernels.addWeightedRows(x + FLOAT * first * columns, weights + FLOAT * first, count, columns, out);
}
