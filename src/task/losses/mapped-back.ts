/**
 * The loss of a masked zoom-out (PAPER.md §4.4). The prediction is the content at full size, but the removed tokens are
 * in the canvas. Therefore prediction and target are both shrunk to the content's size and mirrored into the canvas at
 * the image's own placement. They are compared there, in the tokens that count.
 *
 * Mirroring only repeats pixels, so the repeats are counted instead: the weight of a content pixel is the number of
 * counted canvas pixels that show it. The loss is the same, without a canvas of predictions for every image.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Clean, LossContext, LossForm } from '../entry.js';
import { mirrorIndex } from '../mirror.js';
import { layOut } from '../targets/defaults.js';
import type { Tensors } from '../tensors.js';
import { areaMatrix, areaResample, countMatrix } from './matrices.js';
import { resampledSupervision } from './resampled.js';

/** Sides in pixels. */
type Sizes = Pick<LossContext, 'imageSize' | 'patchSize'> & { readonly contentSize: number };

export function mappedBackLoss(tensors: Tensors, context: Sizes & Pick<LossContext, 'target'>): LossForm {
  const { imageSize, contentSize, patchSize, target } = context;
  const picture: LossForm['picture'] = (fields) => areaResample(tensors, fields, imageSize);
  return {
    picture,
    supervise(clean) {
      const tokens = target.compute(tensors, picture(clean.fields), patchSize);
      return resampledSupervision(
        tensors,
        {
          matrix: areaMatrix(tensors, imageSize, contentSize),
          target: areaResample(tensors, layOut(target, tensors, tokens, patchSize), contentSize),
          weights: canvasCounts(tensors, clean, context),
        },
        context,
        1,
      );
    },
  };
}

/** Number of canvas pixels under counted tokens that show each content pixel: [B, content, content, 1]. */
function canvasCounts(
  tensors: Tensors,
  { counted, placements }: Clean,
  { imageSize, contentSize, patchSize }: Sizes,
): tf.Tensor4D {
  const { tf, ops } = tensors;
  const cells = imageSize / patchSize;
  const along = (axis: 'left' | 'top'): tf.Tensor3D =>
    countMatrix(tensors, { images: placements.length, output: contentSize, input: imageSize, cells }, (image, i) =>
      mirrorIndex(i - placements[image]![axis], contentSize),
    );
  return ops.resample(tf.reshape(counted, [-1, cells, cells, 1]), along('top'), along('left'));
}
