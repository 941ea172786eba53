/**
 * The tasks of linear.ts with factors in bfloat16: x, weight, dz and the derivative of the GELU are stored so. Sums, bias,
 * residual and gradients of the result are float32.
 */
import { NONE, offset, offsetRounded } from '../address.js';
import { BFLOAT16_PRODUCTS } from '../gemm.js';
import { address, flag, number, oneOf } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/** Scratch of each thread, in floats: the sums of a chunk before they are rounded. A multiple of 64 bytes. */
export const linearScratch = (chunkRows: number, outputs: number): number => Math.ceil((chunkRows * outputs) / 16) * 16;

/**
 * A chunk of rows. `bias`, `residual` and `derivative` may be NONE. A residual [rows, outputs] is added, and needs a bias.
 * With `derivative`, applies the GELU and writes its derivative there. `rounded`: whether y is bfloat16. A GELU and a
 * bfloat16 y need scratch.
 */
export const linearBfloat16 = defineTask(
  {
    product: oneOf(BFLOAT16_PRODUCTS),
    x: address,
    weight: address,
    bias: address,
    residual: address,
    y: address,
    derivative: address,
    scratch: address,
    rows: number,
    inputs: number,
    outputs: number,
    chunkRows: number,
    rounded: flag,
  },
  ({ kernels, bfloat16Gemm, index }, chunk, values) => {
    const { product, x, weight, bias, residual, y, derivative, rows, inputs, outputs, chunkRows, rounded } = values;
    const { first, count } = span(chunk, chunkRows, rows);
    const at = first * outputs;
    const own = offset(values.scratch, index * linearScratch(chunkRows, outputs));
    const out = rounded ? own : offset(y, at);
    if (residual !== NONE) {
      const a = offset(residual, at);
      kernels.add({ a, b: bias, out, rows: count, columns: outputs, aRow: outputs, bRow: 0, aStep: 1, bStep: 1 });
    } else if (bias !== NONE) {
      kernels.fillRows({ out, row: bias, rows: count, columns: outputs });
    }
    bfloat16Gemm[product]({
      m: count,
      n: outputs,
      k: inputs,
      beta: bias === NONE ? 0 : 1,
      a: offsetRounded(x, first * inputs),
      lda: inputs,
      b: weight,
      ldb: outputs,
      c: out,
      ldc: outputs,
    });
    const length = count * outputs;
    if (derivative !== NONE && rounded) {
      const to = offsetRounded(y, at);
      kernels.geluRounded({ z: out, y: to, derivative: offsetRounded(derivative, at), count: length });
    } else if (derivative !== NONE) {
      const to = offsetRounded(derivative, at);
      kernels.gelu({ z: out, derivative: own, count: length });
      kernels.roundRows({ x: own, xStride: 0, out: to, outStride: 0, rows: 1, columns: length });
    } else if (rounded) {
      const to = offsetRounded(y, at);
      kernels.roundRows({ x: out, xStride: 0, out: to, outStride: 0, rows: 1, columns: length });
    }
  },
);

/**
 * A chunk of rows of dx = dz·Wᵀ. Unless `dy` is NONE, dz is written first: dy, times `derivative` if that is not NONE,
 * rounded.
 */
export const linearInputGradientBfloat16 = defineTask(
  {
    product: oneOf(BFLOAT16_PRODUCTS),
    dy: address,
    weight: address,
    derivative: address,
    dz: address,
    dx: address,
    rows: number,
    inputs: number,
    outputs: number,
    chunkRows: number,
  },
  ({ kernels, bfloat16Gemm }, chunk, values) => {
    const { product, dy, weight, derivative, dz, dx, rows, inputs, outputs, chunkRows } = values;
    const { first, count } = span(chunk, chunkRows, rows);
    const at = first * outputs;
    const out = offsetRounded(dz, at);
    if (dy !== NONE && derivative !== NONE) {
      kernels.multiplyRounded({ a: offset(dy, at), b: offsetRounded(derivative, at), out, count: count * outputs });
    } else if (dy !== NONE) {
      kernels.roundRows({ x: offset(dy, at), xStride: 0, out, outStride: 0, rows: 1, columns: count * outputs });
    }
    bfloat16Gemm[product]({
      m: count,
      n: inputs,
      k: outputs,
      transposeB: true,
      a: out,
      lda: outputs,
      b: weight,
      ldb: outputs,
      c: offset(dx, first * inputs),
      ldc: inputs,
    });
  },
);

/**
 * A block of dW = xᵀ·dz; blocks are counted along the rows of dW. The blocks of the first row also compute db = Σ dz,
 * unless `dBias` is NONE.
 */
export const linearWeightGradientBfloat16 = defineTask(
  {
    product: oneOf(BFLOAT16_PRODUCTS),
    x: address,
    dz: address,
    dWeight: address,
    dBias: address,
    rows: number,
    inputs: number,
    outputs: number,
    blockRows: number,
    blockColumns: number,
  },
  ({ kernels, bfloat16Gemm }, chunk, values) => {
    const { product, x, dz, dWeight, dBias, rows, inputs, outputs, blockRows, blockColumns } = values;
    const across = Math.ceil(outputs / blockColumns);
    const down = span(Math.floor(chunk / across), blockRows, inputs);
    const along = span(chunk % across, blockColumns, outputs);
    const [a, b] = [offsetRounded(x, down.first), offsetRounded(dz, along.first)];
    bfloat16Gemm[product]({
      m: down.count,
      n: along.count,
      k: rows,
      transposeA: true,
      a,
      lda: inputs,
      b,
      ldb: outputs,
      c: offset(dWeight, down.first * outputs + along.first),
      ldc: outputs,
    });
    if (dBias !== NONE && down.first === 0) {
      kernels.sumRowsRounded({ x: b, rows, columns: along.count, stride: outputs, out: offset(dBias, along.first) });
    }
  },
);
