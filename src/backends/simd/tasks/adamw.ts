/** The AdamW update: chunks of all parameters, listed in a table in the shared memory. */
import type { Thread } from '../thread.js';

/**
 * A row of the table, as float64: addresses of value, first and second moment and gradient; how many floats; then
 * 1 − rate·weightDecay and rate / (1 − β1^step), which differ between parameters.
 */
export type AdamWRow = readonly [number, number, number, number, number, number, number];

/** Float64 values in a row. */
export const ADAMW_ROW = 7;

/** Row `chunk` of the table. */
export function adamW(
  { kernels, memory }: Thread,
  chunk: number,
  table: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  inverseBias: number,
  gradientScale: number,
): void {
  const row = new Float64Array(memory.buffer, table + chunk * ADAMW_ROW * 8, ADAMW_ROW);
  const [value, first, second, gradient, count, keep, stepSize] = [...row] as unknown as AdamWRow;
  const decays = [beta1, beta2, 1 - beta1, 1 - beta2] as const;
  const factors = [epsilon, keep, stepSize, inverseBias, gradientScale] as const;
  kernels.adamW(value, first, second, gradient, count, ...decays, ...factors);
}
