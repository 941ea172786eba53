/** Sums over the middle axis of [outer, reduced, inner]. */
import { offset } from '../address.js';
import { address, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** A chunk of the sums: `outerSize` along the outer axis by `innerSize` along the inner one. `factor` multiplies them. */
export const sumAxis = defineTask(
  {
    x: address,
    out: address,
    outer: number,
    reduced: number,
    inner: number,
    factor: number,
    outerSize: number,
    innerSize: number,
  },
  ({ kernels }, chunk, { x, out, outer, reduced, inner, factor, outerSize, innerSize }) => {
    const chunksAlongInner = Math.ceil(inner / innerSize);
    const rows = span(Math.floor(chunk / chunksAlongInner), outerSize, outer);
    const columns = span(chunk % chunksAlongInner, innerSize, inner);
    if (inner === 1) {
      const to = offset(out, rows.first);
      kernels.sumColumns({ x: offset(x, rows.first * reduced), rows: rows.count, columns: reduced, out: to });
      if (factor !== 1) kernels.scale({ x: to, count: rows.count, factor });
      return;
    }
    // One record for all calls: there may be many rows, each short.
    const sums = { x, rows: reduced, columns: columns.count, stride: inner, out };
    const scaled = { x: out, count: columns.count, factor };
    for (let i = rows.first; i < rows.first + rows.count; i++) {
      sums.x = offset(x, i * reduced * inner + columns.first);
      sums.out = scaled.x = offset(out, i * inner + columns.first);
      kernels.sumRows(sums);
      if (factor !== 1) kernels.scale(scaled);
    }
  },
);
