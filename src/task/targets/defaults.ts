/** Defaults for targets whose entries do not define them. */
import type * as tf from '@tensorflow/tfjs';
import type { TargetEntry } from '../entry.js';
import type { Tensors } from '../tensors.js';

/** The error of predictions against targets: see {@link TargetEntry.error}. */
export function errorOf(
  entry: TargetEntry,
  tensors: Tensors,
  prediction: tf.Tensor3D,
  target: tf.Tensor3D,
  weights: tf.Tensor2D,
): tf.Scalar {
  return (
    entry.error?.(tensors, prediction, target, weights) ?? tensors.ops.tokenSquaredError(prediction, target, weights)
  );
}

/** Tokens arranged as pixels of their image: see {@link TargetEntry.layOut}. [B, N, width] → [B, S, S, C] */
export function layOut(entry: TargetEntry, tensors: Tensors, tokens: tf.Tensor3D, patchSize: number): tf.Tensor4D {
  return entry.layOut?.(tensors, tokens, patchSize) ?? repeatInPatches(tensors, tokens, patchSize);
}

/** Each pixel has all values of its token: [B, columns², C] → [B, columns·patchSize, columns·patchSize, C]. */
function repeatInPatches({ tf }: Tensors, tokens: tf.Tensor3D, patchSize: number): tf.Tensor4D {
  const [batch, count, values] = tokens.shape;
  const columns = Math.round(Math.sqrt(count));
  const widened = tf.tile(tf.reshape(tokens, [batch * columns, columns, 1, values]), [1, 1, patchSize, 1]);
  const rows = tf.reshape(widened, [batch, columns, 1, columns * patchSize * values]);
  const side = columns * patchSize;
  return tf.reshape(tf.tile(rows, [1, 1, patchSize, 1]), [batch, side, side, values]);
}
