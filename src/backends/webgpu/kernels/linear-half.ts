/**
 * VitLinearHalf and its gradient: src/ops/linear.ts describes them. Factors that are not stored as float16 are rounded to
 * it once; a gradient is scaled first.
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
import { roundAndSumRows, sumRows } from '../passes/sum-rows.js';

interface HalfLinearAttributes {
  activation: 'none' | 'gelu';
  result: 'float32' | 'float16';
}

/** Saves the derivative of the activation, if there is one. */
export const halfLinear = defineKernel<HalfLinearAttributes>(
  'VitLinearHalf',
  (backend, { input0: x, input1: weight, input2: bias, input3: residual }, { activation, result }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const shape = [...x!.shape.slice(0, -1), outputs];
    const y = result === 'float16' ? backend.outputHalf(shape) : backend.output(shape);
    const derivative = activation === 'gelu' ? backend.outputHalf(shape) : undefined;
    const halfWeight = roundedWeight(backend, weight!);
    const after = makeEpilogue(backend, { y, bias, residual, derivative }, outputs);
    withHalf(backend, x!, (a) => {
      product(backend, { a, b: halfWeight }, after, { layout: 'plain', rows, columns: outputs, depth: inputs });
    });
    backend.release(halfWeight);
    return [y, ...(derivative ? [derivative] : [])];
  },
);

export const halfLinearGradient = defineKernel(
  'VitLinearHalfGrad',
  (backend, { dy, input0: x, input1: weight, input2: bias, input3: residual, saved0: derivative }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const { half: dz, scale, dBias } = roundedGradient(backend, dy!, [rows, outputs], derivative, bias !== undefined);
    const sizes = { layout: 'second-transposed', rows, columns: inputs, depth: outputs } as const;
    const halfWeight = roundedWeight(backend, weight!);
    const dx = plainProduct(backend, { a: dz, b: halfWeight, scale }, x!.shape, sizes);
    const dWeight = withHalf(backend, x!, (a) =>
      weightProduct(backend, { a, b: dz, scale }, { rows: inputs, columns: outputs, depth: rows }),
    );
    backend.release(scale, dz, halfWeight);
    return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
  },
);

/**
 * A weight in float16. It is kept in the notes of the weight, and AdamW updates both: the gradient, the next step and all
 * evaluation batches in between use it.
 */
function roundedWeight(backend: VitBackend, weight: TensorInfo): TensorInfo {
  const known = backend.notes.roundedOf(weight);
  if (known && !known.scale) return backend.shared(known.half);
  const half = roundToHalf(backend, weight);
  backend.notes.noteRounded(weight, { half: backend.shared(half) });
  return half;
}

/** dy times the activation's derivative, in float16; with its sums over the rows if there is a bias. */
function roundedGradient(
  backend: VitBackend,
  dy: TensorInfo,
  [rows, outputs]: readonly [number, number],
  derivative: TensorInfo | undefined,
  hasBias: boolean,
): { half: TensorInfo; scale: TensorInfo; dBias: TensorInfo | null } {
  const known = backend.notes.roundedOf(dy);
  if (known?.scale && !derivative) {
    const [half, scale] = [backend.shared(known.half), backend.shared(known.scale)];
    return { half, scale, dBias: hasBias ? sumRows(backend, half, [rows, outputs], [outputs], { scale }) : null };
  }
  const times = derivative && { tensor: derivative, atMost: GELU_DERIVATIVE_AT_MOST };
  const scale = scaleForHalf(backend, dy, { times });
  const rounding = { times: derivative, scale };
  if (!hasBias) return { half: roundToHalf(backend, dy, rounding), scale: scale.scale, dBias: null };
  const { half, sums } = roundAndSumRows(backend, dy, [rows, outputs], rounding);
  return { half, scale: scale.scale, dBias: sums };
}

/** Calls a function with x in float16. */
function withHalf<T>(backend: VitBackend, x: TensorInfo, use: (half: TensorInfo) => T): T {
  if (backend.isHalf(x)) return use(x);
  const half = roundToHalf(backend, x);
  const result = use(half);
  backend.release(half);
  return result;
}
