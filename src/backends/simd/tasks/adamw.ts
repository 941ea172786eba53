/** The AdamW update: chunks of all parameters, listed in a table in the shared memory. */
import { address, number, recordFormat } from '../records.js';
import { defineTask } from './task.js';

/** A row of the table: a run of `count` floats of one parameter, and the factors that differ between parameters. */
export const ADAMW_ROW = recordFormat({
  value: address,
  /** The address at which the new values are also written in bfloat16, or NONE. */
  rounded: address,
  first: address,
  second: address,
  gradient: address,
  count: number,
  rateScale: number,
  weightDecay: number,
});

/** Updates the run in row `chunk` of the table. `firstBias` is 1 / (1 − β1^step), `inverseBias` 1 / √(1 − β2^step). */
export const adamW = defineTask(
  {
    table: address,
    beta1: number,
    beta2: number,
    epsilon: number,
    learningRate: number,
    firstBias: number,
    inverseBias: number,
    gradientScale: number,
  },
  ({ kernels, memory }, chunk, values) => {
    const { table, beta1, beta2, epsilon, learningRate, firstBias, inverseBias, gradientScale } = values;
    const { words } = ADAMW_ROW;
    const row = ADAMW_ROW.read(new Float64Array(memory.buffer, table + 8 * words * chunk, words));
    const rate = learningRate * row.rateScale;
    kernels.adamW({
      value: row.value,
      rounded: row.rounded,
      first: row.first,
      second: row.second,
      gradient: row.gradient,
      count: row.count,
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      epsilon,
      keep: 1 - rate * row.weightDecay,
      stepSize: rate * firstBias,
      inverseBias,
      gradientScale,
    });
  },
);
