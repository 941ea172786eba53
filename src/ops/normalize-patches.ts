/** Patches normalised by their own statistics, and the inverse. (PAPER.md §2) */
import * as tf from '@tensorflow/tfjs';
import { IMAGENET_MEAN, IMAGENET_STD } from '../common/image.js';
import { hasFusedKernel } from './op.js';
import { patchify, unpatchify } from './patches.js';

/** Kernel name: takes `images` and {@link NormalizePatchesAttributes}, returns the tokens. */
export const NORMALIZE_PATCHES_KERNEL = 'VitNormalizePatches';

/**
 * The normalisation, and its statistics:
 *
 * - `patch-channel` (the paper): (x − mean) / (√var + 1e-6) over the pixels of each patch and channel.
 * - `patch` (MAE): (x − mean) / √(var + 1e-6) over all values of each patch of the ImageNet-normalised image.
 * - `none`: ImageNet-normalised pixels.
 *
 * Variances are unbiased.
 */
export type PatchNormalization = 'patch-channel' | 'patch' | 'none';

export interface NormalizePatchesAttributes {
  patchSize: number;
  normalization: PatchNormalization;
}

/** The map from a patch to its target is affine: target = (values − shift) / scale. */
interface Affine {
  /** [B, N, patchSize², 3]: values in their own units, minus `shift`. */
  readonly centred: tf.Tensor4D;
  /** The offset that was subtracted, and the divisor; both broadcast to the shape of `centred`. */
  readonly shift: tf.Tensor;
  readonly scale: tf.Tensor;
}

const imagenetMean = (): tf.Tensor => tf.tensor1d([...IMAGENET_MEAN]);
const imagenetStd = (): tf.Tensor => tf.tensor1d([...IMAGENET_STD]);

/** [B, S, S, 3] in [0, 1] → [B, N, patchSize², 3] */
function pixelsOfPatches(images: tf.Tensor4D, patchSize: number): tf.Tensor4D {
  // Resampling leaves saturated areas up to 1e-7 outside [0, 1]; dividing by the tiny deviation of a flat patch would
  // magnify it.
  const tokens = patchify(tf.clipByValue(images, 0, 1), patchSize);
  return tf.reshape(tokens, [tokens.shape[0], tokens.shape[1], patchSize * patchSize, 3]);
}

/** Mean and unbiased variance over the given axes, which are kept with size 1. */
function statistics(
  values: tf.Tensor4D,
  axes: number[],
): { centred: tf.Tensor4D; mean: tf.Tensor; variance: tf.Tensor } {
  // Deviations are taken from the first pixel, not from 0: a flat patch is then exactly 0, even if the sum is rounded.
  const [batch, tokens, , channels] = values.shape;
  const first = tf.slice(values, [0, 0, 0, 0], [batch, tokens, 1, axes.includes(3) ? 1 : channels]);
  const deviations = tf.sub<tf.Tensor4D>(values, first);
  const offset = tf.mean(deviations, axes, true);
  const centred = tf.sub<tf.Tensor4D>(deviations, offset);
  const count = axes.reduce((product, axis) => product * values.shape[axis]!, 1);
  const variance = tf.div(tf.sum(tf.square(centred), axes, true), count - 1);
  return { centred, mean: tf.add(first, offset), variance };
}

function affine(images: tf.Tensor4D, patchSize: number, normalization: PatchNormalization): Affine {
  const values = pixelsOfPatches(images, patchSize);
  switch (normalization) {
    case 'patch-channel': {
      const { centred, mean, variance } = statistics(values, [2]);
      return { centred, shift: mean, scale: tf.add(tf.sqrt(variance), 1e-6) };
    }
    case 'patch': {
      const normalized = tf.div<tf.Tensor4D>(tf.sub(values, imagenetMean()), imagenetStd());
      const { centred, mean, variance } = statistics(normalized, [2, 3]);
      return { centred, shift: mean, scale: tf.sqrt(tf.add(variance, 1e-6)) };
    }
    case 'none':
      return { centred: tf.sub(values, imagenetMean()), shift: imagenetMean(), scale: imagenetStd() };
  }
}

/**
 * Tokens of images, which are clamped to [0, 1] first. A flat patch becomes zeros. Not differentiable: used for targets
 * only.
 *
 * @param images [B, S, S, 3] in [0, 1]
 * @returns [B, N, patchSize²·3]
 */
export function normalizePatches(
  images: tf.Tensor4D,
  patchSize: number,
  normalization: PatchNormalization,
): tf.Tensor3D {
  if (hasFusedKernel(NORMALIZE_PATCHES_KERNEL)) {
    const attributes: NormalizePatchesAttributes = { patchSize, normalization };
    return tf.engine().runKernel(NORMALIZE_PATCHES_KERNEL, { images }, { ...attributes });
  }
  return tf.tidy(() => {
    const { centred, scale } = affine(images, patchSize, normalization);
    const [batch, tokens] = centred.shape;
    return tf.reshape(tf.div(centred, scale), [batch, tokens, -1]);
  });
}

/**
 * The inverse of {@link normalizePatches}, with the statistics of the given images.
 *
 * @param tokens [B, N, patchSize²·3]
 * @param images [B, S, S, 3] in [0, 1], whose statistics are used
 * @returns [B, S, S, 3], clipped to [0, 1]
 */
export function denormalizePatches(
  tokens: tf.Tensor3D,
  images: tf.Tensor4D,
  patchSize: number,
  normalization: PatchNormalization,
): tf.Tensor4D {
  return tf.tidy(() => {
    const { centred, shift, scale } = affine(images, patchSize, normalization);
    const values = tf.add(tf.mul(tf.reshape(tokens, centred.shape), scale), shift);
    const pixels = normalization === 'patch' ? tf.add(tf.mul(values, imagenetStd()), imagenetMean()) : values;
    return tf.clipByValue(unpatchify(tf.reshape(pixels, tokens.shape), patchSize), 0, 1);
  });
}
