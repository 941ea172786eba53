/** Copies between layouts. */
import { offset } from '../address.js';
import { address, four, number, type Four } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/**
 * A chunk of a strided copy: a dense output of four axes from x at `strides`, in floats. The chunk is `size` positions of
 * the axis numbered `axis`; all axes before it have size 1.
 */
export const copyStrided = defineTask(
  { x: address, out: address, sizes: four, strides: four, axis: number, size: number },
  ({ kernels }, chunk, { x, out, sizes, strides, axis, size }) => {
    const { first, count } = span(chunk, size, sizes[axis]!);
    const [n0, n1, n2, n3] = sizes.with(axis, count) as unknown as Four;
    const [s0, s1, s2, s3] = strides;
    const to = offset(out, first * innerSize(sizes, axis));
    kernels.copyStrided({ x: offset(x, first * strides[axis]!), out: to, n0, n1, n2, n3, s0, s1, s2, s3 });
  },
);

/** Floats of a dense output from one position of an axis to the next. */
export const innerSize = (sizes: Four, axis: number): number => sizes.slice(axis + 1).reduce((a, b) => a * b, 1);
