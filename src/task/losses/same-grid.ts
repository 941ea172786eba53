/**
 * The loss of tasks whose prediction is on the grid of the tokens: the error of the tokens that count against the
 * target (PAPER.md §3, §4.3, and §4.4 without a mask).
 */
import type { LossContext, LossForm } from '../entry.js';
import type { Tensors } from '../tensors.js';
import { errorOf } from '../targets/defaults.js';
import { areaResample } from './matrices.js';

/** A field whose size is not the image's is resampled by area to the image's size. */
export function sameGridLoss(tensors: Tensors, { imageSize, patchSize, target: entry }: LossContext): LossForm {
  const picture: LossForm['picture'] = (fields) => areaResample(tensors, fields, imageSize);
  return {
    picture,
    supervise({ fields, counted }) {
      const target = entry.compute(tensors, picture(fields), patchSize);
      return { loss: (prediction) => errorOf(entry, tensors, prediction, target, counted), tensors: [target] };
    },
  };
}
