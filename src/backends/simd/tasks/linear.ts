/** y = x·W + b with or without a GELU, and the gradients. x [rows, inputs], W [inputs, outputs], y [rows, outputs]. */
import { NONE, offset } from '../address.js';
import { address, number } from '../records.js';
import { span } from './chunks.js';
import { defineTask } from './task.js';

/**
 * A chunk of rows. `bias`, `residual` and `derivative` may be NONE. A residual [rows, outputs] is added, and needs a
 * bias. With `derivative`, applies the GELU and writes its derivative there.
 */
export const linear = defineTask(
  {
    x: address,
    weight: address,
    bias: address,
    residual: address,
    y: address,
    derivative: address,
    rows: number,
    inputs: number,
    outputs: number,
    chunkRows: number,
  },
  ({ kernels, gemm }, chunk, { x, weight, bias, residual, y, derivative, rows, inputs, outputs, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const at = first * outputs;
    const out = offset(y, at);
    // Starting from rows of bias costs no extra time: otherwise the product would have to clear its output.
    if (residual !== NONE) {
      const a = offset(residual, at);
      kernels.add({ a, b: bias, out, rows: count, columns: outputs, aRow: outputs, bRow: 0, aStep: 1, bStep: 1 });
    } else if (bias !== NONE) {
      kernels.fillRows({ out, row: bias, rows: count, columns: outputs });
    }
    gemm({
      m: count,
      n: outputs,
      k: inputs,
      beta: bias === NONE ? 0 : 1,
      a: offset(x, first * inputs),
      lda: inputs,
      b: weight,
      ldb: outputs,
      c: out,
      ldc: outputs,
    });
    if (derivative !== NONE) kernels.gelu({ z: out, derivative: offset(derivative, at), count: count * outputs });
  },
);

/**
 * A chunk of rows of dx = dz·Wᵀ. With a GELU, `derivative` comes from the forward pass, and dz = dy·derivative is
 * written first; without one, `derivative` is NONE and dz is dy.
 */
export const linearInputGradient = defineTask(
  {
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
  ({ kernels, gemm }, chunk, { dy, weight, derivative, dz, dx, rows, inputs, outputs, chunkRows }) => {
    const { first, count } = span(chunk, chunkRows, rows);
    const at = first * outputs;
    if (derivative !== NONE) {
      const [a, b, out] = [offset(dy, at), offset(derivative, at), offset(dz, at)];
      kernels.multiply({ a, b, out, rows: 1, columns: count * outputs, aRow: 0, bRow: 0, aStep: 1, bStep: 1 });
    }
    gemm({
      m: count,
      n: inputs,
      k: outputs,
      transposeB: true,
      a: offset(dz, at),
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
export const linearWeightGradient = defineTask(
  {
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
  ({ kernels, gemm }, chunk, { x, dz, dWeight, dBias, rows, inputs, outputs, blockRows, blockColumns }) => {
    const across = Math.ceil(outputs / blockColumns);
    const down = span(Math.floor(chunk / across), blockRows, inputs);
    const along = span(chunk % across, blockColumns, outputs);
    const [a, b] = [offset(x, down.first), offset(dz, along.first)];
    const c = offset(dWeight, down.first * outputs + along.first);
    const [m, n] = [down.count, along.count];
    gemm({ m, n, k: rows, a, lda: inputs, transposeA: true, b, ldb: outputs, c, ldc: outputs });
    if (dBias !== NONE && down.first === 0) {
      kernels.sumRows({ x: b, rows, columns: along.count, stride: outputs, out: offset(dBias, along.first) });
    }
  },
);
