/** y = x·W + b with or without a GELU, and the gradients. x [rows, inputs], W [inputs, outputs], y [rows, outputs]. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

/**
 * A chunk of rows. With `residual` [rows, outputs], which comes with a bias, adds that; with `derivative`, applies the
 * GELU and leaves its derivative there.
 */
export function linear(
  { kernels, gemm }: Thread,
  chunk: number,
  x: number,
  weight: number,
  bias: number,
  residual: number,
  y: number,
  derivative: number,
  rows: number,
  inputs: number,
  outputs: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const out = y + FLOAT * first * outputs;
  // Adding to rows of bias costs nothing extra: the product would have to clear its output anyway.
  if (residual) kernels.add(residual + FLOAT * first * outputs, bias, out, count, outputs, outputs, 0, 1, 1);
  else if (bias) kernels.fillRows(out, bias, count, outputs);
  const from = x + FLOAT * first * inputs;
  gemm(0, 0, count, outputs, inputs, 1, from, inputs, weight, outputs, bias ? 1 : 0, out, outputs);
  if (derivative) kernels.gelu(out, derivative + FLOAT * first * outputs, count * outputs);
}

/** A chunk of rows of dx = dz·Wᵀ, where dz = dy·derivative is written first if there is a GELU, and else is dy. */
export function linearInputGradient(
  { kernels, gemm }: Thread,
  chunk: number,
  dy: number,
  weight: number,
  derivative: number,
  dz: number,
  dx: number,
  rows: number,
  inputs: number,
  outputs: number,
  chunkRows: number,
): void {
  const { first, count } = span(chunk, chunkRows, rows);
  const at = FLOAT * first * outputs;
  if (derivative) kernels.multiply(dy + at, derivative + at, dz + at, 1, count * outputs, 0, 0, 1, 1);
  gemm(0, 1, count, inputs, outputs, 1, dz + at, outputs, weight, outputs, 0, dx + FLOAT * first * inputs, inputs);
}

/** A block of dW = xᵀ·dz, the blocks counted along its rows; the first row of blocks does db = Σ dz as well. */
export function linearWeightGradient(
  { kernels, gemm }: Thread,
  chunk: number,
  x: number,
  dz: number,
  dWeight: number,
  dBias: number,
  rows: number,
  inputs: number,
  outputs: number,
  blockRows: number,
  blockColumns: number,
): void {
  const across = Math.ceil(outputs / blockColumns);
  const down = span(Math.floor(chunk / across), blockRows, inputs);
  const along = span(chunk % across, blockColumns, outputs);
  const from = x + FLOAT * down.first;
  const by = dz + FLOAT * along.first;
  const to = dWeight + FLOAT * (down.first * outputs + along.first);
  gemm(1, 0, down.count, along.count, rows, 1, from, inputs, by, outputs, 0, to, outputs);
  if (dBias && down.first === 0) kernels.sumRows(by, rows, along.count, outputs, dBias + FLOAT * along.first);
}
