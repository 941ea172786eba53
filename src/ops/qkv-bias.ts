/** The joint bias of q, k and v when k has none, as in BEiT. */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const op = defineOp({
  name: 'VitQkvBias',
  forward: ([q, v]) => ({ output: tf.concat([q!, tf.zerosLike(q!), v!]), saved: [] }),
  backward(dy, { inputs: [q] }) {
    const dim = q!.shape[0];
    return [tf.slice(dy, 0, dim), tf.slice(dy, 2 * dim, dim)];
  },
});

/**
 * q, zeros, v side by side.
 *
 * @param q [dim]
 * @param v [dim]
 * @returns [3·dim]
 */
export function qkvBias(q: tf.Tensor, v: tf.Tensor): tf.Tensor {
  return op([q, v], [], {});
}
