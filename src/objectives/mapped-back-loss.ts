/**
 * The loss of a masked zoom-out (PAPER.md §4.4). The prediction is the content at full size, the removed tokens lie in
 * the canvas: prediction and target are both shrunk to the content's size and mirrored into the canvas at the image's
 * own placement, where they are compared in the tokens that count.
 *
 * Mirroring only repeats pixels, so the repeats are counted instead of made: each content pixel weighs as many counted
 * canvas pixels as show it. That is the same loss, without a canvas of predictions for every image.
 */
import * as tf from '@tensorflow/tfjs';
import { normalizePatches, resample, unpatchify } from '../ops/index.js';
import type { TargetNormalization } from '../spec/task.js';
import { areaMatrix, areaResample, countMatrix } from './matrices.js';
import type { Clean, LossForm } from './parts.js';
import { pixelSupervision } from './pixel-loss.js';
import { mirrorIndex } from './zoomed-out.js';

/** Sides in pixels. */
export interface MappedBackSizes {
  readonly imageSize: number;
  readonly contentSize: number;
  readonly patchSize: number;
}

export function mappedBackLoss(sizes: MappedBackSizes, normalization: TargetNormalization): LossForm {
  const { imageSize, contentSize, patchSize } = sizes;
  const picture: LossForm['picture'] = (fields) => areaResample(fields, imageSize);
  return {
    picture,
    supervise(clean) {
      const normalized = unpatchify(normalizePatches(picture(clean.fields), patchSize, normalization), patchSize);
      return pixelSupervision(
        {
          matrix: areaMatrix(imageSize, contentSize),
          target: areaResample(normalized, contentSize),
          weights: canvasCounts(clean, sizes),
        },
        patchSize,
        1,
      );
    },
  };
}

/** How many canvas pixels under counted tokens show each content pixel: [B, content, content, 1]. */
function canvasCounts(
  { counted, placements }: Clean,
  { imageSize, contentSize, patchSize }: MappedBackSizes,
): tf.Tensor4D {
  const cells = imageSize / patchSize;
  const along = (axis: 'left' | 'top'): tf.Tensor3D =>
    countMatrix({ images: placements.length, output: contentSize, input: imageSize, cells }, (image, i) =>
      mirrorIndex(i - placements[image]![axis], contentSize),
    );
  return resample(tf.reshape(counted, [-1, cells, cells, 1]), along('top'), along('left'));
}
