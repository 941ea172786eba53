/** The mean of an image's tokens, from which it is classified where there is no class token. */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const op = defineOp({
  name: 'VitMeanTokens',
  forward: ([x]) => ({ output: tf.mean(x!, 1), saved: [] }),
  // tf.mean's own gradient makes a host array of ones of the size of x, and a GPU waits for that in every step.
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
