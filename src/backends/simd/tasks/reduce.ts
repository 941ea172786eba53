/** Sums over the middle axis of [outer, reduced, inner]. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/** A chunk of the sums: `outerSize` along the outer axis by `innerSize` along the inner one. `factor` multiplies them. */
export function sumAxis(
  { kernels }: Thread,
  chunk: number,
  x: number,
  out: number,
  outer: number,
  reduced: number,
  inner: number,
  factor: number,
  outerSize: number,
  innerSize: number,
): void {
  const chunksAlongInner = Math.ceil(inner / innerSize);
  const rows = span(Math.floor(chunk / chunksAlongInner), outerSize, outer);
  const columns = span(chunk % chunksAlongInner, innerSize, inner);
  if (inner === 1) {
    const to = out + FLOAT * rows.first;
    kernels.sumColumns(x + FLOAT * rows.first * reduced, rows.count, reduced, to);
    if (factor !== 1) kernels.scale(to, rows.count, factor);
    return;
  }
  for (let i = rows.first; i < rows.first + rows.count; i++) {
    const to = out + FLOAT * (i * inner + columns.first);
    kernels.sumRows(x + FLOAT * (i * reduced * inner + columns.first), reduced, columns.count, inner, to);
    if (factor !== 1) kernels.scale(to, columns.count, factor);
  }
}
