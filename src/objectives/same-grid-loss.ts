/**
 * The loss of tasks whose prediction lies on the grid of the tokens: mean squared error of the tokens that count
 * against the target (PAPER.md §3, §4.3, and §4.4 without a mask).
 */
import { normalizePatches, tokenSquaredError } from '../ops/index.js';
import type { TargetNormalization } from '../spec/task.js';
import { areaResample } from './matrices.js';
import type { LossForm } from './parts.js';

/** A field of another size than the image is brought to it by area resampling. */
export function sameGridLoss(imageSize: number, patchSize: number, normalization: TargetNormalization): LossForm {
  const picture: LossForm['picture'] = (fields) => areaResample(fields, imageSize);
  return {
    picture,
    supervise({ fields, counted }) {
      const target = normalizePatches(picture(fields), patchSize, normalization);
      return { loss: (prediction) => tokenSquaredError(prediction, target, counted), tensors: [target] };
    },
  };
}
