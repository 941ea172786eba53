/**
 * The loss of a masked zoom-in (PAPER.md §4.2). The prediction is the whole field at the input's resolution. Enlarged
 * to the field's size, its centre is compared with the input's own patches and its border with the field's.
 *
 *   centreWeight · (mean over the counted input tokens) + borderWeight · (sum of the means over four border strips)
 *
 * All of these are means over pixels, so the loss is one squared error on the field's grid, with these weights of a
 * pixel:
 *
 *   centreWeight / (patchSize² · number of counted tokens)   under a counted token,
 *   borderWeight / (B · pixels of its strip)                 in the border:
 *
 * 2.1e-5 to 2.8e-5 times 1/B at the paper's sizes, nearly uniform.
 */
import type * as tf from '@tensorflow/tfjs';
import type { LossContext, LossForm } from '../entry.js';
import { layOut } from '../targets/defaults.js';
import type { Tensors } from '../tensors.js';
import { areaMatrix, areaResample, countMatrix } from './matrices.js';
import { resampledSupervision } from './resampled.js';

/** Sides in pixels. The field is the larger by an even number. */
type Sizes = Pick<LossContext, 'imageSize' | 'patchSize'> & { readonly fieldSize: number };

export function centreBorderLoss(
  tensors: Tensors,
  context: Sizes & Pick<LossContext, 'target'>,
  { centreWeight, borderWeight }: { readonly centreWeight: number; readonly borderWeight: number },
): LossForm {
  const { tf } = tensors;
  const { imageSize, fieldSize } = context;
  const strips = stripWeights(context);
  return {
    picture: (fields) => areaResample(tensors, fields, imageSize),
    supervise({ fields, counted }) {
      const centre = tf.mul(centreWeights(tensors, counted, context), centreWeight);
      const border = tf.tensor4d(strips, [1, fieldSize, fieldSize, 1]);
      return resampledSupervision(
        tensors,
        {
          matrix: areaMatrix(tensors, imageSize, fieldSize),
          target: centreBorderTarget(tensors, fields, context),
          weights: tf.add(centre, tf.mul(border, borderWeight / fields.shape[0])),
        },
        context,
        centreWeight + 4 * borderWeight,
      );
    },
  };
}

/**
 * The target of the enlarged prediction: in the centre, the target of the input's own patches; in the border, the
 * target of the patches of the shrunken field, enlarged like the prediction.
 *
 * @returns [B, F, F, C]
 */
function centreBorderTarget(
  tensors: Tensors,
  fields: tf.Tensor4D,
  { imageSize, fieldSize, patchSize, target }: Sizes & Pick<LossContext, 'target'>,
): tf.Tensor4D {
  const { tf } = tensors;
  const targetOf = (images: tf.Tensor4D): tf.Tensor4D =>
    layOut(target, tensors, target.compute(tensors, images, patchSize), patchSize);
  const border = (fieldSize - imageSize) / 2;
  const around: [number, number] = [border, border];
  const batch = fields.shape[0];

  const centre = targetOf(tf.slice(fields, [0, border, border, 0], [batch, imageSize, imageSize, 3]));
  const whole = areaResample(tensors, targetOf(areaResample(tensors, fields, imageSize)), fieldSize);
  const outside = tf.pad(tf.zeros([1, imageSize, imageSize, 1]), [[0, 0], around, around, [0, 0]], 1);
  return tf.add(tf.mul(whole, outside), tf.pad(centre, [[0, 0], around, around, [0, 0]]));
}

/** Weights of sum 1, equal under all counted tokens: [B, N] → [B, F, F, 1]. */
function centreWeights(
  tensors: Tensors,
  counted: tf.Tensor2D,
  { imageSize, fieldSize, patchSize }: Sizes,
): tf.Tensor4D {
  const { tf, ops } = tensors;
  const cells = imageSize / patchSize;
  const border = (fieldSize - imageSize) / 2;
  const spread = countMatrix(tensors, { images: 1, output: fieldSize, input: imageSize, cells }, (_, i) => border + i);
  const pixels = ops.resample(tf.reshape(counted, [-1, cells, cells, 1]), spread, spread);
  return tf.div(pixels, tf.mul(tf.sum(counted), patchSize * patchSize));
}

/** Weights of sum 1 in each border strip: top and bottom over the full width, left and right between them. [F·F] */
function stripWeights({ imageSize, fieldSize }: Sizes): Float32Array {
  const border = (fieldSize - imageSize) / 2;
  const inside = (i: number): boolean => i >= border && i < border + imageSize;
  return Float32Array.from({ length: fieldSize * fieldSize }, (_, i) => {
    if (!inside(Math.floor(i / fieldSize))) return 1 / (border * fieldSize);
    return inside(i % fieldSize) ? 0 : 1 / (border * imageSize);
  });
}
