/**
 * The loss of a masked zoom-in (PAPER.md §4.2): the prediction is the whole field at the input's resolution; enlarged to
 * the field's, its centre is compared with the input's own patches and its border with the field's.
 *
 *   centreWeight · (mean over the counted input tokens) + borderWeight · (sum of the means over four border strips)
 *
 * All of these are means over pixels, so the whole is one squared error on the field's grid, in which a pixel weighs
 *
 *   centreWeight / (patchSize² · number of counted tokens)   under a counted token,
 *   borderWeight / (B · pixels of its strip)                 in the border:
 *
 * 2.1e-5 to 2.8e-5 times 1/B at the paper's sizes, nearly uniform.
 */
import * as tf from '@tensorflow/tfjs';
import { normalizePatches, resample, unpatchify } from '../ops/index.js';
import type { TargetNormalization } from '../spec/task.js';
import { areaMatrix, areaResample, countMatrix } from './matrices.js';
import type { LossForm } from './parts.js';
import { pixelSupervision } from './pixel-loss.js';

/** Sides in pixels. The field is the larger by an even number. */
export interface CentreBorderSizes {
  readonly imageSize: number;
  readonly fieldSize: number;
  readonly patchSize: number;
}

export function centreBorderLoss(
  sizes: CentreBorderSizes,
  { centreWeight, borderWeight }: { readonly centreWeight: number; readonly borderWeight: number },
  normalization: TargetNormalization,
): LossForm {
  const { imageSize, fieldSize, patchSize } = sizes;
  const strips = stripWeights(sizes);
  return {
    picture: (fields) => areaResample(fields, imageSize),
    supervise({ fields, counted }) {
      const centre = tf.mul(centreWeights(counted, sizes), centreWeight);
      const border = tf.tensor4d(strips, [1, fieldSize, fieldSize, 1]);
      return pixelSupervision(
        {
          matrix: areaMatrix(imageSize, fieldSize),
          target: centreBorderTarget(fields, sizes, normalization),
          weights: tf.add(centre, tf.mul(border, borderWeight / fields.shape[0])),
        },
        patchSize,
        centreWeight + 4 * borderWeight,
      );
    },
  };
}

/**
 * What the enlarged prediction is compared with: in the centre the input's pixels, normalised on the input's own
 * patches; in the border those of the field, normalised on the patches of the shrunken field and enlarged with it.
 *
 * @returns [B, F, F, 3]
 */
function centreBorderTarget(
  fields: tf.Tensor4D,
  { imageSize, fieldSize, patchSize }: CentreBorderSizes,
  normalization: TargetNormalization,
): tf.Tensor4D {
  const normalized = (images: tf.Tensor4D): tf.Tensor4D =>
    unpatchify(normalizePatches(images, patchSize, normalization), patchSize);
  const border = (fieldSize - imageSize) / 2;
  const around: [number, number] = [border, border];
  const batch = fields.shape[0];

  const centre = normalized(tf.slice(fields, [0, border, border, 0], [batch, imageSize, imageSize, 3]));
  const whole = areaResample(normalized(areaResample(fields, imageSize)), fieldSize);
  const outside = tf.pad(tf.zeros([1, imageSize, imageSize, 1]), [[0, 0], around, around, [0, 0]], 1);
  return tf.add(tf.mul(whole, outside), tf.pad(centre, [[0, 0], around, around, [0, 0]]));
}

/** Weights of sum 1, equal under all counted tokens: [B, N] → [B, F, F, 1]. */
function centreWeights(counted: tf.Tensor2D, { imageSize, fieldSize, patchSize }: CentreBorderSizes): tf.Tensor4D {
  const cells = imageSize / patchSize;
  const border = (fieldSize - imageSize) / 2;
  const spread = countMatrix({ images: 1, output: fieldSize, input: imageSize, cells }, (_, i) => border + i);
  const pixels = resample(tf.reshape(counted, [-1, cells, cells, 1]), spread, spread);
  return tf.div(pixels, tf.mul(tf.sum(counted), patchSize * patchSize));
}

/** Weights of sum 1 in each border strip: top and bottom over the full width, left and right between them. [F·F] */
function stripWeights({ imageSize, fieldSize }: CentreBorderSizes): Float32Array {
  const border = (fieldSize - imageSize) / 2;
  const inside = (i: number): boolean => i >= border && i < border + imageSize;
  return Float32Array.from({ length: fieldSize * fieldSize }, (_, i) => {
    if (!inside(Math.floor(i / fieldSize))) return 1 / (border * fieldSize);
    return inside(i % fieldSize) ? 0 : 1 / (border * imageSize);
  });
}
