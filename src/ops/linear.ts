/** Linear layers, with an optional bias, and an optional exact GELU or residual after the product. */
import * as tf from '@tensorflow/tfjs';
import { defineOp, hasFusedKernel, type OpDefinition } from './op.js';

export type Activation = 'none' | 'gelu';

/** Φ(x), the normal distribution function: ½(1 + erf(x/√2)). */
const normalCdf = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

const asRows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, x.shape.at(-1)!]);

/** Inputs: x, weight and, if present, bias and residual. */
const exact: OpDefinition<{ activation: Activation }> = {
  name: 'VitLinear',
  forward([x, weight, bias, residual], _constants, { activation }) {
    const rows = tf.fused.matMul({ a: asRows(x!), b: weight as tf.Tensor2D, ...(bias ? { bias } : {}) });
    const z = tf.reshape(rows, [...x!.shape.slice(0, -1), weight!.shape[1]!]);
    if (activation === 'gelu') return { output: tf.mul(z, normalCdf(z)), saved: [z] };
    return { output: residual ? tf.add(z, residual) : z, saved: [] };
  },
  backward(dy, { inputs: [x, weight, bias, residual], saved: [z] }, { activation }) {
    const dz = asRows(activation === 'gelu' ? tf.mul(dy, geluDerivative(z!)) : dy);
    const dx = tf.reshape(tf.matMul(dz, weight as tf.Tensor2D, false, true), x!.shape);
    const dWeight = tf.matMul(asRows(x!), dz, true);
    return [dx, dWeight, ...(bias ? [tf.sum(dz, 0)] : []), ...(residual ? [tf.clone(dy)] : [])];
  },
};

const HALF = 'VitLinearHalf';
const noHalf = (): never => {
  throw new Error(`backend ${tf.getBackend()} has no ${HALF}`);
};
const ops = {
  float32: defineOp<{ activation: Activation; result: Precision }>(exact),
  float16: defineOp<{ activation: Activation; result: Precision }>({ name: HALF, forward: noHalf, backward: noHalf }),
};

/** What the factors of a product are rounded to. The sum is in float32. */
export type Precision = 'float32' | 'float16';

/** Whether the active backend multiplies in float16. There is no plain form: tfjs has no float16. */
export const hasHalfProducts = (): boolean => hasFusedKernel(HALF);

/** d/dx x·Φ(x) = Φ(x) + x·φ(x), with φ(x) = exp(−x²/2)/√(2π). */
function geluDerivative(x: tf.Tensor): tf.Tensor {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return tf.add(normalCdf(x), tf.mul(x, density));
}

/** An operation fused after the product: an activation, or the addition of a residual of the output's shape. */
export type LinearEpilogue = { activation: Activation } | { residual: tf.Tensor };

/**
 * x·W + b over the last axis.
 *
 * @param x [..., in]
 * @param weight [in, out]
 * @param bias [out], or null; required with a residual
 * @param epilogue `gelu` is the exact one, x·Φ(x)
 * @param precision Of x, the weight and the gradient in products; float16 requires {@link hasHalfProducts}
 * @param result Precision of the output; float16, which requires float16 products, if only such products use it
 * @returns [..., out]
 */
export function linear<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  epilogue: LinearEpilogue = { activation: 'none' },
  precision: Precision = 'float32',
  result: Precision = 'float32',
): T {
  if (precision === 'float32' && result !== precision) throw new Error('a float16 result requires float16 products');
  const op = ops[precision];
  if ('activation' in epilogue) return op(bias ? [x, weight, bias] : [x, weight], [], { ...epilogue, result }) as T;
  if (!bias) throw new Error('a residual requires a bias');
  return op([x, weight, bias, epilogue.residual], [], { activation: 'none', result }) as T;
}
