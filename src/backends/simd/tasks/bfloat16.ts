/** Rounding to bfloat16. */
import { offset, offsetRounded } from '../address.js';
import { address, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** A chunk of `total` values of x, rounded. */
export const round = defineTask(
  { x: address, out: address, total: number, size: number },
  ({ kernels }, chunk, { x, out, total, size }) => {
    const { first, count } = span(chunk, size, total);
    const to = offsetRounded(out, first);
    kernels.roundRows({ x: offset(x, first), xStride: 0, out: to, outStride: 0, rows: 1, columns: count });
  },
);
