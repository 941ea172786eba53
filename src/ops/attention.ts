/** Multi-head self-attention between the projection to q, k, v and the projection back. */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

/** [batch, tokens, 3·dim] → q, k and v, each [batch·heads, tokens, dim/heads]. */
function splitHeads(qkv: tf.Tensor, heads: number): [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D] {
  const [batch, tokens, width] = qkv.shape as [number, number, number];
  const dim = width / 3;
  const part = (index: number): tf.Tensor3D =>
    toHeads(tf.slice(qkv as tf.Tensor3D, [0, 0, index * dim], [batch, tokens, dim]), heads);
  return [part(0), part(1), part(2)];
}

/** [batch, tokens, dim] → [batch·heads, tokens, dim/heads]. */
function toHeads(x: tf.Tensor, heads: number): tf.Tensor3D {
  const [batch, tokens, dim] = x.shape as [number, number, number];
  const split = tf.transpose(tf.reshape(x, [batch, tokens, heads, dim / heads]), [0, 2, 1, 3]);
  return tf.reshape(split, [batch * heads, tokens, dim / heads]);
}

/** The inverse of {@link toHeads}. */
function fromHeads(x: tf.Tensor, heads: number): tf.Tensor3D {
  const [groups, tokens, size] = x.shape as [number, number, number];
  const split = tf.transpose(tf.reshape(x, [groups / heads, heads, tokens, size]), [0, 2, 1, 3]);
  return tf.reshape(split, [groups / heads, tokens, heads * size]);
}

const swap = (x: tf.Tensor): tf.Tensor3D => tf.transpose(x as tf.Tensor3D, [0, 2, 1]);

const op = defineOp<{ heads: number }>({
  name: 'VitAttention',
  forward([qkv], _constants, { heads }) {
    const [q, k, v] = splitHeads(qkv!, heads);
    const scores = tf.mul(tf.matMul(q, swap(k)), 1 / Math.sqrt(q.shape[2]));
    const weights = tf.softmax(scores);
    return { output: fromHeads(tf.matMul(weights, v), heads), saved: [weights] };
  },
  backward(dy, { inputs: [qkv], saved: [weights] }, { heads }) {
    const [q, k, v] = splitHeads(qkv!, heads);
    const dOut = toHeads(dy, heads);
    const dv = tf.matMul(swap(weights!), dOut);
    const dWeights = tf.matMul(dOut, swap(v));
    const along = tf.sum(tf.mul(dWeights, weights!), -1, true);
    const dScores = tf.mul(tf.mul(weights!, tf.sub(dWeights, along)), 1 / Math.sqrt(q.shape[2]));
    const dq = tf.matMul(dScores, k);
    const dk = tf.matMul(swap(dScores), q);
    return [
      tf.concat(
        [dq, dk, dv].map((part) => fromHeads(part, heads)),
        -1,
      ),
    ];
  },
});

/**
 * softmax(q·kᵀ/√(dim/heads))·v for each head.
 *
 * @param qkv [batch, tokens, 3·dim]: q, k, v side by side, each with its heads side by side
 * @returns [batch, tokens, dim]
 */
export function attention(qkv: tf.Tensor3D, heads: number): tf.Tensor3D {
  return op([qkv], [], { heads }) as tf.Tensor3D;
}
