/**
 * Zoomed-in (a): the input shows the centre of a field, and the model predicts the whole field (PAPER.md §4.1, §4.3).
 * There are two inputs: the centre enlarged to the size of the field, or the centre unchanged.
 */
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { UsageError } from '../../common/errors.js';
import { normalizeImage, type FloatImage } from '../../common/image.js';
import { denseMatrix, resampleImage } from '../../common/resample.js';
import { fraction, nonNegative } from '../../common/values.js';
import { newPixels } from '../../common/working-memory.js';
import { drawNothing, type Conflict, type GeometryEntry } from '../entry.js';
import { centreBorderLoss } from '../losses/centre-border.js';
import { sameGridLoss } from '../losses/same-grid.js';
import type { Tensors } from '../tensors.js';
import { zoomConflict, zoomSize } from '../zoom.js';

export type ZoomedIn =
  | {
      kind: 'zoomed-in';
      /** Linear fraction of the field that the input shows: 160/224 unmasked, 224/288 masked. */
      fraction: number;
      /** All tokens against the whole field. */
      loss: 'field';
    }
  | {
      kind: 'zoomed-in';
      fraction: number;
      /** The weighted sum of PAPER.md §4.2. */
      loss: 'centre-border';
      centreWeight: number;
      borderWeight: number;
    };

const strengths = z.strictObject({
  fraction: z
    .union([z.literal('auto'), fraction])
    .default('auto')
    .describe('Linear fraction of the field that the input shows; auto: 160/224 unmasked, 224/288 masked.'),
  loss: z
    .enum(['auto', 'field', 'centre-border'])
    .default('auto')
    .describe('field: all tokens; centre-border: the weighted sum of the paper; auto: field unmasked, else the sum.'),
  centreWeight: nonNegative.default(0.8).describe('Weight of the centre in the centre-border loss.'),
  borderWeight: nonNegative.default(0.2).describe('Weight of the four border strips (summed).'),
});

export const zoomedIn: GeometryEntry<'zoomed-in', typeof strengths, ZoomedIn> = {
  name: 'zoomed-in',
  description: 'the input shows the centre of the target',
  strengths,
  determinedByMask: ['loss', 'centreWeight', 'borderWeight'],
  /** PAPER.md §5: 160/224 without a mask, 224/288 with one; §4.2 and §4.3 for the losses. */
  resolve({ fraction: given, loss, ...weights }, { masked }) {
    const shown = given === 'auto' ? (masked ? 224 / 288 : 160 / 224) : given;
    if (loss === 'field' || (loss === 'auto' && !masked)) return { kind: 'zoomed-in', fraction: shown, loss: 'field' };
    return { kind: 'zoomed-in', fraction: shown, loss: 'centre-border', ...weights };
  },
  conflict(geometry, { imageSize }) {
    return weightsConflict(geometry) ?? zoomConflict('zoomed-in', () => fieldSizeOf(geometry, imageSize));
  },
  // The tokens of the field loss have other positions in the image than the input's: none of them is a removed token.
  countsRemovedTokensOnly: ({ loss }) => loss === 'centre-border',
  part(geometry, imageSize) {
    if (geometry.loss === 'field') {
      const window = windowSize(geometry.fraction, imageSize);
      return {
        fieldSize: imageSize,
        draw: drawNothing,
        move: (field) => normalizeImage(enlargeCentre(field, window, imageSize)),
        moveBatch({ tf, ops }, fields) {
          const matrix = tf.tensor3d(denseMatrix('bicubic', window, imageSize), [1, imageSize, window]);
          const enlarged = ops.resample(cropCentreBatch({ tf, ops }, fields, window), matrix, matrix);
          return ops.mixColours(tf.clipByValue(enlarged, 0, 1), [ops.NORMALIZE]);
        },
      };
    }
    return {
      fieldSize: outerFieldSize(geometry.fraction, imageSize),
      draw: drawNothing,
      move: (field) => normalizeImage(cropCentre(field, imageSize)),
      moveBatch: (tensors, fields) =>
        tensors.ops.mixColours(cropCentreBatch(tensors, fields, imageSize), [tensors.ops.NORMALIZE]),
    };
  },
  loss(tensors, geometry, context) {
    if (geometry.loss === 'field') return sameGridLoss(tensors, context);
    const conflict = weightsConflict(geometry);
    if (conflict !== undefined) throw new UsageError(conflict.message);
    const fieldSize = outerFieldSize(geometry.fraction, context.imageSize);
    return centreBorderLoss(tensors, { ...context, fieldSize }, geometry);
  },
};

function weightsConflict(geometry: ZoomedIn): Conflict | undefined {
  if (geometry.loss === 'field' || geometry.centreWeight + geometry.borderWeight > 0) return undefined;
  const key = 'degradation.zoomedIn';
  return {
    keys: [`${key}.centreWeight`, `${key}.borderWeight`],
    message: `${key}.centreWeight and borderWeight are both 0, which leaves no loss; raise one`,
  };
}

// --- sizes (PAPER.md §13) --------------------------------------------------------------------------------------------

/**
 * The integer nearest to `value` that differs from `like` by an even number, so that one can be centred in the other.
 */
const nearestAlike = (value: number, like: number): number => 2 * Math.round((value - (like % 2)) / 2) + (like % 2);

function fieldSizeOf({ loss, fraction: shown }: ZoomedIn, imageSize: number): number {
  return loss === 'field' ? windowSize(shown, imageSize) : outerFieldSize(shown, imageSize);
}

/** Side of the centre window that a `field` zoom-in enlarges to `imageSize`: 160 of 224, 22 of 32. */
export function windowSize(shown: number, imageSize: number): number {
  const size = nearestAlike(shown * imageSize, imageSize);
  return zoomSize(size >= 1 && size < imageSize, size, 'zoomed-in', shown, imageSize);
}

/** Side of the field whose centre is the input of a `centre-border` zoom-in: 288 around 224, 42 around 32. */
export function outerFieldSize(shown: number, imageSize: number): number {
  const size = nearestAlike(imageSize / shown, imageSize);
  return zoomSize(size > imageSize, size, 'zoomed-in', shown, imageSize);
}

// --- pixels ----------------------------------------------------------------------------------------------------------

/** The box of `size`² in the middle of an image. Both sides of the image have the same parity as `size`. */
function centreBox(image: FloatImage, size: number) {
  return { top: (image.height - size) / 2, left: (image.width - size) / 2, height: size, width: size };
}

/** Enlarges the centre `window`² pixels of an image in [0, 1] to `size`², bicubic, clamped. */
export function enlargeCentre(image: FloatImage, window: number, size: number): FloatImage {
  return resampleImage(image, centreBox(image, window), size, size, 'bicubic');
}

/** Crops the centre `size`² pixels of an image. */
export function cropCentre(image: FloatImage, size: number): FloatImage {
  const { top, left } = centreBox(image, size);
  const data = newPixels(size * size * 3);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + size * 3), y * size * 3);
  }
  return { data, height: size, width: size };
}

/** {@link cropCentre} of each image. */
function cropCentreBatch({ tf }: Tensors, images: tf.Tensor4D, size: number): tf.Tensor4D {
  const start = (images.shape[1] - size) / 2;
  return tf.slice(images, [0, start, start, 0], [-1, size, size, 3]);
}
