/** Layer normalisation over the last axis. */
import * as tf from '@tensorflow/tfjs';
import type { Precision } from './linear.js';
import { defineOp } from './op.js';

const op = defineOp<{ epsilon: number; result: Precision }>({
  name: 'VitLayerNorm',
  forward([x, scale, shift], _constants, { epsilon }) {
    const centred = tf.sub(x!, tf.mean(x!, -1, true));
    const inverseStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
    const normalized = tf.mul(centred, inverseStd);
    return { output: tf.add(tf.mul(normalized, scale!), shift!), saved: [normalized, inverseStd] };
  },
  backward(dy, { inputs: [, scale], saved: [normalized, inverseStd] }) {
    const dNormalized = tf.mul(dy, scale!);
    // The mean and the variance both depend on x: the gradient is reduced by its mean and by its projection on the
    // output.
    const along = tf.mean(tf.mul(dNormalized, normalized!), -1, true);
    const projected = tf.sub(tf.sub(dNormalized, tf.mean(dNormalized, -1, true)), tf.mul(normalized!, along));
    const sumOfRows = (x: tf.Tensor): tf.Tensor => tf.sum(tf.reshape(x, [-1, x.shape.at(-1)!]), 0);
    return [tf.mul(projected, inverseStd!), sumOfRows(tf.mul(dy, normalized!)), sumOfRows(dy)];
  },
});

/**
 * (x − mean) / √(variance + ε) · scale + shift, with the biased variance.
 *
 * @param x [..., dim]
 * @param scale [dim]
 * @param shift [dim]
 * @param result Precision of the output, on backends that multiply in it: lower than float32 if only products use it
 */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor,
  shift: tf.Tensor,
  epsilon: number,
  result: Precision = 'float32',
): T {
  return op([x, scale, shift], [], { epsilon, result }) as T;
}
