/**
 * VitLinearHalf and its gradient: src/ops/linear.ts says what they are. What is multiplied is brought to float16 once,
 * where it is not kept so already; the weight's float16 is saved for the gradient, and a gradient's is scaled.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { defineKernel } from './kernel.js';
import { plainProduct, product, weightProduct } from '../passes/choose-product.js';
import { makeEpilogue } from '../passes/epilogue.js';
import { GELU_DERIVATIVE_AT_MOST } from '../passes/gelu.js';
import { roundToHalf } from '../passes/half.js';
import { scaleForHalf } from '../passes/scale-for-half.js';
import { roundAndSumRows } from '../passes/sum-rows.js';

interface HalfLinearAttributes {
  activation: 'none' | 'gelu';
  result: 'float32' | 'float16';
}

/** What is saved: the weight in float16 and, behind an activation, its derivative. */
export const halfLinear = defineKernel<HalfLinearAttributes>(
  'VitLinearHalf',
  (backend, { input0: x, input1: weight, input2: bias, input3: residual }, { activation, result }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const shape = [...x!.shape.slice(0, -1), outputs];
    const y = result === 'float16' ? backend.outputHalf(shape) : backend.output(shape);
    const derivative = activation === 'gelu' ? backend.outputHalf(shape) : undefined;
    const halfWeight = roundToHalf(backend, weight!);
    const after = makeEpilogue(backend, { y, bias, residual, derivative }, outputs);
    withHalf(backend, x!, (a) => {
      product(backend, { a, b: halfWeight }, after, { layout: 'plain', rows, columns: outputs, depth: inputs });
    });
    return [y, halfWeight, ...(derivative ? [derivative] : [])];
  },
);

export const halfLinearGradient = defineKernel(
  'VitLinearHalfGrad',
  (backend, { dy, input0: x, input2: bias, input3: residual, saved0: halfWeight, saved1: derivative }) => {
    const [inputs, outputs] = halfWeight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const times = derivative && { tensor: derivative, atMost: GELU_DERIVATIVE_AT_MOST };
    const scale = scaleForHalf(backend, dy!, { times });
    const rounding = { times: derivative, scale };
    const { half: dz, sums: dBias } = bias
      ? roundAndSumRows(backend, dy!, [rows, outputs], rounding)
      : { half: roundToHalf(backend, dy!, rounding), sums: null };
    const sizes = { layout: 'second-transposed', rows, columns: inputs, depth: outputs } as const;
    const dx = plainProduct(backend, { a: dz, b: halfWeight!, scale }, x!.shape, sizes);
    const dWeight = withHalf(backend, x!, (a) =>
      weightProduct(backend, { a, b: dz, scale }, { rows: inputs, columns: outputs, depth: rows }),
    );
    backend.release(scale, dz);
    return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
  },
);

/** Gives x in float16 to somebody who needs it no longer than that. */
function withHalf<T>(backend: VitBackend, x: TensorInfo, use: (half: TensorInfo) => T): T {
  if (backend.isHalf(x)) return use(x);
  const half = roundToHalf(backend, x);
  const result = use(half);
  backend.release(half);
  return result;
}
