/**
 * What both losses on another grid have in common: the prediction, laid out on pixels, is resampled to that grid and
 * compared pixel by pixel, each pixel with a weight of its own.
 */
import type * as tf from '@tensorflow/tfjs';
import type { LossContext, Supervision } from '../entry.js';
import { errorOf, layOut } from '../targets/defaults.js';
import type { Tensors } from '../tensors.js';

interface PixelTargets {
  /** [1, G, S]: from the S pixels of a prediction to the grid's, along each axis. */
  readonly matrix: tf.Tensor3D;
  /** [B, G, G, C] */
  readonly target: tf.Tensor4D;
  /** [B, G, G, 1], of any sum */
  readonly weights: tf.Tensor4D;
}

/** `total` times the mean, by weight, of each pixel's error (for a squared error itself a mean over the channels). */
export function resampledSupervision(
  tensors: Tensors,
  { matrix, target, weights }: PixelTargets,
  { patchSize, target: entry }: Pick<LossContext, 'patchSize' | 'target'>,
  total: number,
): Supervision {
  const { tf, ops } = tensors;
  const [batch, size, , channels] = target.shape;
  // In the op, pixels stand in the place of tokens: C values each.
  const flatTarget = tf.reshape<tf.Rank.R3>(target, [batch, size * size, channels]);
  const flatWeights = tf.reshape<tf.Rank.R2>(weights, [batch, size * size]);
  return {
    loss(prediction) {
      return tf.tidy(() => {
        const resampled = ops.resample(layOut(entry, tensors, prediction, patchSize), matrix, matrix);
        const flat = tf.reshape<tf.Rank.R3>(resampled, flatTarget.shape);
        const error = errorOf(entry, tensors, flat, flatTarget, flatWeights);
        return total === 1 ? error : tf.mul(error, total);
      });
    },
    tensors: [matrix, flatTarget, flatWeights],
  };
}
