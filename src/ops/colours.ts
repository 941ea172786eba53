/**
 * Colours changed pixel by pixel: a 3 × 3 matrix over the channels and an offset, the same for all images or one for
 * each.
 */
import * as tf from '@tensorflow/tfjs';
import { IMAGENET_MEAN, IMAGENET_STD } from '../common/image.js';
import { hasFusedKernel } from './op.js';

/** Kernel name: takes `images`, `matrices`, `offsets` and returns the images. */
export const COLOURS_KERNEL = 'VitMixColours';

/** An affine map of the channels (r, g, b) of a pixel. */
export interface ColourMap {
  /** [3 outputs × 3 inputs] */
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

const diagonal = ([a, b, c]: readonly [number, number, number]): number[] => [a, 0, 0, 0, b, 0, 0, 0, c];

/** From pixels in [0, 1] to ImageNet-normalised ones. */
export const NORMALIZE: ColourMap = {
  matrix: diagonal([1 / IMAGENET_STD[0], 1 / IMAGENET_STD[1], 1 / IMAGENET_STD[2]]),
  offset: IMAGENET_MEAN.map((mean, c) => -mean / IMAGENET_STD[c]!),
};

/** The inverse of {@link NORMALIZE}. */
export const DENORMALIZE: ColourMap = { matrix: diagonal(IMAGENET_STD), offset: IMAGENET_MEAN };

/** The map that applies `first`, then `second`. */
export function composeColours(first: ColourMap, second: ColourMap): ColourMap {
  const times = (vectors: readonly number[], columns: number): number[] =>
    Array.from({ length: 3 * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return [0, 1, 2].reduce((sum, k) => sum + second.matrix[3 * row + k]! * vectors[columns * k + column]!, 0);
    });
  return {
    matrix: times(first.matrix, 3),
    offset: times(first.offset, 1).map((value, c) => value + second.offset[c]!),
  };
}

/**
 * Changes the colours of images. Not differentiable: used for inputs only.
 *
 * @param images [batch, height, width, 3]
 * @param maps one for all images, or one for each
 */
export function mixColours(images: tf.Tensor4D, maps: readonly ColourMap[]): tf.Tensor4D {
  return tf.tidy(() => {
    const matrices = tf.tensor3d(
      maps.flatMap(({ matrix }) => matrix),
      [maps.length, 3, 3],
    );
    const offsets = tf.tensor3d(
      maps.flatMap(({ offset }) => offset),
      [maps.length, 1, 3],
    );
    if (hasFusedKernel(COLOURS_KERNEL)) return tf.engine().runKernel(COLOURS_KERNEL, { images, matrices, offsets });
    const batch = images.shape[0];
    const own = maps.length === batch ? matrices : tf.tile(matrices, [batch, 1, 1]);
    const pixels = tf.reshape<tf.Rank.R3>(images, [batch, -1, 3]);
    return tf.reshape(tf.add(tf.matMul(pixels, own, false, true), offsets), images.shape);
  });
}
