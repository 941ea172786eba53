/** Layer normalisation of rows and its gradients. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/** A chunk of rows. `statistics` [rows, 2] receives mean and 1/std. */
export function layerNorm(
  { kernels }: Thread,
  chunk: number,
  x: number,
  scale: number,
  shift: number,
  y: number,
  statistics: number,
  rows: number,
  dim: number,
  epsilon: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const at = FLOAT * first * dim;
  kernels.layerNorm(x + at, scale, shift, y + at, statistics + FLOAT * 2 * first, count, dim, epsilon);
}

/** A chunk of rows of dx, and its part of the other gradients: `parts` [chunks, 2, dim], to be summed. */
export function layerNormGradient(
  { kernels }: Thread,
  chunk: number,
  dy: number,
  x: number,
  scale: number,
  statistics: number,
  dx: number,
  parts: number,
  rows: number,
  dim: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const at = FLOAT * first * dim;
  const dScale = parts + FLOAT * chunk * 2 * dim;
  const dShift = dScale + FLOAT * dim;
  kernels.fill(dScale, 2 * dim, 0);
  kernels.layerNormGradient(
    dy + at,
    x + at,
    scale,
    statistics + FLOAT * 2 * first,
    dx + at,
    dScale,
    dShift,
    count,
    dim,
  );
}
