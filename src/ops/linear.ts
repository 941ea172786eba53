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

/** What the factors of a product are rounded to. The sum is in float32. */
export type Precision = 'float32' | 'float16' | 'bfloat16';

interface Attributes {
  activation: Activation;
  result: Precision;
}

/** An op without a plain form: tfjs has no such type. */
function onlyFused(name: OpDefinition<Attributes>['name']): OpDefinition<Attributes> {
  const fail = (): never => {
    throw new Error(`backend ${tf.getBackend()} has no ${name}`);
  };
  return { name, forward: fail, backward: fail };
}

const NAMES = { float16: 'VitLinearHalf', bfloat16: 'VitLinearBfloat16' } as const;
const ops: Record<Precision, ReturnType<typeof defineOp<Attributes>>> = {
  float32: defineOp<Attributes>(exact),
  float16: defineOp(onlyFused(NAMES.float16)),
  bfloat16: defineOp(onlyFused(NAMES.bfloat16)),
};

/** Whether the active backend multiplies in this precision. All multiply in float32. */
export const hasProducts = (precision: Precision): boolean =>
  precision === 'float32' || hasFusedKernel(NAMES[precision]);

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
 * @param precision Of x, the weight and the gradient in products; it requires {@link hasProducts}
 * @param result Precision of the output: the precision of the products if only such products use it, else float32
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
  if (result !== 'float32' && result !== precision) throw new Error(`a ${result} result requires ${result} products`);
  const op = ops[precision];
  if ('activation' in epilogue) return op(bias ? [x, weight, bias] : [x, weight], [], { ...epilogue, result }) as T;
  if (!bias) throw new Error('a residual requires a bias');
  return op([x, weight, bias, epilogue.residual], [], { activation: 'none', result }) as T;
}
