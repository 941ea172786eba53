/** Layer normalisation of rows and its gradients. */
import { offset, offsetRounded } from '../address.js';
import { address, flag, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** A chunk of rows. `statistics` [rows, 2] receives mean and 1/std. `rounded`: whether y is bfloat16. */
export const layerNorm = defineTask(
  {
    x: address,
    scale: address,
    shift: address,
    y: address,
    statistics: address,
    rows: number,
    dim: number,
    epsilon: number,
    chunkRows: number,
    rounded: flag,
  },
  ({ kernels }, chunk, { x, scale, shift, y, statistics, rows, dim, epsilon, chunkRows, rounded }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    kernels[rounded ? 'layerNormRounded' : 'layerNorm']({
      x: offset(x, first * dim),
      scale,
      shift,
      y: rounded ? offsetRounded(y, first * dim) : offset(y, first * dim),
      statistics: offset(statistics, 2 * first),
      rows: count,
      dim,
      epsilon,
    });
  },
);

/** A chunk of rows of dx, and its part of the other gradients: `parts` [chunks, 2, dim], still to be summed. */
export const layerNormGradient = defineTask(
  {
    dy: address,
    x: address,
    scale: address,
    statistics: address,
    dx: address,
    parts: address,
    rows: number,
    dim: number,
    chunkRows: number,
  },
  ({ kernels }, chunk, { dy, x, scale, statistics, dx, parts, rows, dim, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const dScale = offset(parts, chunk * 2 * dim);
    kernels.fill({ out: dScale, count: 2 * dim, value: 0 });
    kernels.layerNormGradient({
      dy: offset(dy, first * dim),
      x: offset(x, first * dim),
      dx: offset(dx, first * dim),
      scale,
      statistics: offset(statistics, 2 * first),
      dScale,
      dShift: offset(dScale, dim),
      rows: count,
      dim,
    });
  },
);
