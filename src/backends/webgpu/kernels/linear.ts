/** VitLinear and its gradient: src/ops/linear.ts says what they are. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';
import { makeEpilogue, plainResult } from '../passes/epilogue.js';
import { product, weightProduct } from '../passes/choose-product.js';
import type { StripType } from '../passes/product.js';
import { scaleForHalf } from '../passes/scale-for-half.js';
import { sumRows } from '../passes/sum-rows.js';

interface LinearAttributes {
  activation: 'none' | 'gelu';
}

function forward(strips: StripType) {
  return defineKernel<LinearAttributes>(
    strips === 'f16' ? 'VitLinearHalf' : 'VitLinear',
    (backend, { input0: x, input1: weight, input2: bias, input3: residual }, { activation }) => {
      const [inputs, outputs] = weight!.shape as [number, number];
      const rows = sizeOf(x!.shape) / inputs;
      const y = backend.output([...x!.shape.slice(0, -1), outputs]);
      const derivative = activation === 'gelu' ? backend.output(y.shape) : undefined;
      const after = makeEpilogue({ y, bias, residual, derivative }, outputs);
      const sizes = { layout: 'plain', rows, columns: outputs, depth: inputs } as const;
      product(backend, { a: x!, b: weight! }, after, sizes, strips);
      return derivative ? [y, derivative] : y;
    },
  );
}

function gradient(strips: StripType) {
  return defineKernel(
    strips === 'f16' ? 'VitLinearHalfGrad' : 'VitLinearGrad',
    (backend, { dy, input0: x, input1: weight, input2: bias, input3: residual, saved0: derivative }) => {
      const [inputs, outputs] = weight!.shape as [number, number];
      const rows = sizeOf(x!.shape) / inputs;
      const dz = derivative ? times(backend, dy!, derivative) : dy!;
      const scale = strips === 'f16' ? scaleForHalf(backend, dz) : undefined;
      const { y: dx, after } = plainResult(backend, x!.shape, inputs);
      const sizes = { layout: 'second-transposed', rows, columns: inputs, depth: outputs } as const;
      product(backend, { a: dz, b: weight!, scale, scaled: 'a' }, after, sizes, strips);
      const factors = { a: x!, b: dz, scale, scaled: 'b' } as const;
      const dWeight = weightProduct(backend, factors, { rows: inputs, columns: outputs, depth: rows }, strips);
      const dBias = bias ? sumRows(backend, dz, [rows, outputs], [outputs]) : null;
      if (scale) backend.release(scale);
      if (derivative) backend.release(dz);
      return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
    },
  );
}

export const linearKernels = [forward('f32'), gradient('f32')];

/** For devices with the feature `shader-f16`. */
export const halfLinearKernels = [forward('f16'), gradient('f16')];

/** Value by value. */
function times(backend: VitBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  const y = backend.output(a.shape);
  const size = sizeOf(a.shape);
  const { lanes } = lanesFor(a, size);
  const { begin, ...layout } = invocations(size / lanes);
  backend.run({
    name: 'times',
    sizes: { size },
    reads: { a: lanesFor(a, size), b: lanesFor(b, size) },
    writes: { y: lanesFor(y, size) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        y[i] = a[i] * b[i];`,
    }),
  });
  return y;
}
