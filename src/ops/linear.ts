/** Linear layers, with an optional bias and an optional exact GELU behind them. */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

export type Activation = 'none' | 'gelu';

/** Φ(x), the normal distribution function: ½(1 + erf(x/√2)). */
const normalCdf = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

const op = defineOp<{ activation: Activation }>({
  name: 'VitLinear',
  forward([x, weight, bias], _constants, { activation }) {
    const z = tf.fused.matMul({ a: x as tf.Tensor2D, b: weight as tf.Tensor2D, ...(bias ? { bias } : {}) });
    return activation === 'gelu' ? { output: tf.mul(z, normalCdf(z)), saved: [z] } : { output: z, saved: [] };
  },
  backward(dy, { inputs: [x, weight, bias], saved: [z] }, { activation }) {
    const dz = activation === 'gelu' ? tf.mul(dy, geluDerivative(z!)) : dy;
    // Written with explicit transposes: the WebAssembly backend multiplies untransposed matrices 20 times faster.
    const dx = tf.matMul(dz, tf.transpose(weight!));
    const dWeight = tf.matMul(tf.transpose(x!), dz);
    return bias ? [dx, dWeight, tf.sum(dz, 0)] : [dx, dWeight];
  },
});

/** d/dx x·Φ(x) = Φ(x) + x·φ(x), with φ(x) = exp(−x²/2)/√(2π). */
function geluDerivative(x: tf.Tensor): tf.Tensor {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return tf.add(normalCdf(x), tf.mul(x, density));
}

/**
 * x·W + b over the last axis.
 *
 * @param x [..., in]
 * @param weight [in, out]
 * @param bias [out], or null
 * @param activation `gelu` is the exact one, x·Φ(x)
 * @returns [..., out]
 */
export function linear<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  activation: Activation = 'none',
): T {
  const [inputs, outputs] = weight.shape as [number, number];
  const rows = tf.reshape(x, [-1, inputs]);
  const y = op(bias ? [rows, weight, bias] : [rows, weight], [], { activation });
  return tf.reshape(y, [...x.shape.slice(0, -1), outputs]) as T;
}
