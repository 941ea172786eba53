/** The gradient of the squared error. The losses themselves are small: the calling thread computes them. */
import { offset } from '../address.js';
import { address, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** A chunk of rows of factor·weight·(prediction − target). */
export const squaredErrorGradient = defineTask(
  {
    prediction: address,
    target: address,
    weights: address,
    out: address,
    rows: number,
    values: number,
    factor: number,
    chunkRows: number,
  },
  ({ kernels }, chunk, { prediction, target, weights, out, rows, values, factor, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const at = first * values;
    kernels.squaredErrorGradient({
      prediction: offset(prediction, at),
      target: offset(target, at),
      weights: offset(weights, first),
      out: offset(out, at),
      rows: count,
      values,
      factor,
    });
  },
);
