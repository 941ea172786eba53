/**
 * What both losses on another grid have in common: the prediction, as a picture, is resampled to that grid and compared
 * pixel by pixel, each pixel with a weight of its own.
 */
import * as tf from '@tensorflow/tfjs';
import { resample, tokenSquaredError, unpatchify } from '../ops/index.js';
import type { Supervision } from './parts.js';

interface PixelTargets {
  /** [1, G, S]: from the S pixels of a prediction to the grid's, along each axis. */
  readonly matrix: tf.Tensor3D;
  /** [B, G, G, 3] */
  readonly target: tf.Tensor4D;
  /** [B, G, G, 1], of any sum */
  readonly weights: tf.Tensor4D;
}

/** `total` times the mean, by weight, of each pixel's squared error (itself a mean over the channels). */
export function pixelSupervision(
  { matrix, target, weights }: PixelTargets,
  patchSize: number,
  total: number,
): Supervision {
  const [batch, size] = target.shape;
  // Pixels take the part of tokens in the op: 3 values each.
  const flatTarget = tf.reshape<tf.Rank.R3>(target, [batch, size * size, 3]);
  const flatWeights = tf.reshape<tf.Rank.R2>(weights, [batch, size * size]);
  return {
    loss(prediction) {
      return tf.tidy(() => {
        const resampled = resample(unpatchify(prediction, patchSize), matrix, matrix);
        const flat = tf.reshape<tf.Rank.R3>(resampled, flatTarget.shape);
        const error = tokenSquaredError(flat, flatTarget, flatWeights);
        return total === 1 ? error : tf.mul(error, total);
      });
    },
    tensors: [matrix, flatTarget, flatWeights],
  };
}
