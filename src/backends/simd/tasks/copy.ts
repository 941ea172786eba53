/** Copies between layouts. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/**
 * A chunk of a strided copy: out [n0, n1, n2, n3] from x at strides s0 … s3, in floats. The chunk is `size` of the axis
 * numbered `axis`, before which all sizes are 1.
 */
export function copyStrided(
  { kernels }: Thread,
  chunk: number,
  x: number,
  out: number,
  n0: number,
  n1: number,
  n2: number,
  n3: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  axis: number,
  size: number,
): void {
  const sizes = [n0, n1, n2, n3];
  const { first, count } = span(chunk, size, sizes[axis]!);
  sizes[axis] = count;
  const [m0, m1, m2, m3] = sizes as [number, number, number, number];
  const from = x + FLOAT * first * [s0, s1, s2, s3][axis]!;
  const to = out + FLOAT * first * [n1 * n2 * n3, n2 * n3, n3, 1][axis]!;
  kernels.copyStrided(from, to, m0, m1, m2, m3, s0, s1, s2, s3);
}
