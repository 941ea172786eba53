/**
 * The common part of both losses on another grid: the prediction, arranged as pixels, is resampled to that grid and
 * compared pixel by pixel, each pixel with its own weight.
 */
import type * as tf from '@tensorflow/tfjs';
import type { LossContext, Supervision } from '../entry.js';
import { errorOf, layOut } from '../targets/defaults.js';
import type { Tensors } from '../tensors.js';

interface PixelTargets {
  /** [1, G, S]: from the S pixels of a prediction to the G pixels of the grid, along each axis. */
  readonly matrix: tf.Tensor3D;
  /** [B, G, G, C] */
  readonly target: tf.Tensor4D;
  /** [B, G, G, 1], of any sum */
  readonly weights: tf.Tensor4D;
}

/** `total` times the mean, by weight, of each pixel's error. (A squared error is itself a mean over the channels.) */
export function resampledSupervision(
  tensors: Tensors,
  { matrix, target, weights }: PixelTargets,
  { patchSize, target: entry }: Pick<LossContext, 'patchSize' | 'target'>,
  total: number,
): Supervision {
  const { tf, ops } = tensors;
  const [batch, size, , channels] = target.shape;
  // For the op, each pixel is a token of C values.
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
