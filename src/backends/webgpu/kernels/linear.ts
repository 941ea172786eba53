/** VitLinear and its gradient: src/ops/linear.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { definePass, invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';
import { makeEpilogue, plainResult } from '../passes/epilogue.js';
import { product, weightProduct } from '../passes/choose-product.js';
import { sumRows } from '../passes/sum-rows.js';

interface LinearAttributes {
  activation: 'none' | 'gelu';
}

export const linear = defineKernel<LinearAttributes>(
  'VitLinear',
  (backend, { input0: x, input1: weight, input2: bias, input3: residual }, { activation }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const y = backend.output([...x!.shape.slice(0, -1), outputs]);
    const derivative = activation === 'gelu' ? backend.output(y.shape) : undefined;
    const after = makeEpilogue(backend, { y, bias, residual, derivative }, outputs);
    product(backend, { a: x!, b: weight! }, after, { layout: 'plain', rows, columns: outputs, depth: inputs });
    return derivative ? [y, derivative] : y;
  },
);

export const linearGradient = defineKernel(
  'VitLinearGrad',
  (backend, { dy, input0: x, input1: weight, input2: bias, input3: residual, saved0: derivative }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const dz = derivative ? times(backend, dy!, derivative) : dy!;
    const { y: dx, after } = plainResult(backend, x!.shape, inputs);
    const sizes = { layout: 'second-transposed', rows, columns: inputs, depth: outputs } as const;
    product(backend, { a: dz, b: weight! }, after, sizes);
    const dWeight = weightProduct(backend, { a: x!, b: dz }, { rows: inputs, columns: outputs, depth: rows });
    const dBias = bias ? sumRows(backend, dz, [rows, outputs], [outputs]) : null;
    if (derivative) backend.release(dz);
    return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
  },
);

const timesPass = definePass<{ size: number }, 'a' | 'b', 'y'>('times', ({ size }, { y }) => {
  const { begin, ...layout } = invocations(size / y.lanes);
  return { ...layout, body: `${begin}\ny[i] = a[i] * b[i];` };
});

/** Multiplies element by element. */
function times(backend: VitBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  const y = backend.output(a.shape);
  const size = sizeOf(a.shape);
  backend.run(timesPass({ size }, { a: lanesFor(a, size), b: lanesFor(b, size) }, { y: lanesFor(y, size) }));
  return y;
}
