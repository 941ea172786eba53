/** The gradient of the squared error. Losses themselves are small and computed by the calling thread. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/** A chunk of rows of factor·weight·(prediction − target). */
export function squaredErrorGradient(
  { kernels }: Thread,
  chunk: number,
  prediction: number,
  target: number,
  weights: number,
  out: number,
  rows: number,
  values: number,
  factor: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const at = FLOAT * first * values;
  const weight = weights + FLOAT * first;
  kernels.squaredErrorGradient(prediction + at, target + at, weight, out + at, count, values, factor);
}
