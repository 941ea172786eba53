/** The mean of an image's tokens: the classifier's input in models without a class token. */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const op = defineOp({
  name: 'VitMeanTokens',
  forward: ([x]) => ({ output: tf.mean(x!, 1), saved: [] }),
  // The gradient of tf.mean creates an array of ones in host memory, as large as x. On a GPU each step would wait for
  // it.
  backward(dy, { inputs: [x] }) {
    const share = tf.div(dy, x!.shape[1]!);
    return [tf.mul(tf.expandDims(share, 1), tf.fill(x!.shape, 1))];
  },
});

/**
 * @param x [batch, tokens, dim]
 * @returns [batch, dim]
 */
export function meanTokens(x: tf.Tensor3D): tf.Tensor2D {
  return op([x], [], {}) as tf.Tensor2D;
}
