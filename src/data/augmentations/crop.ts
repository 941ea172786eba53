/** The random resized crop. */
import { cropScale } from '../../common/values.js';
import { randomResizedCrop } from '../augment.js';
import { viewStep, type AugmentationDefaults } from './augmentation.js';

export const crop = viewStep(
  (defaults: AugmentationDefaults) => ({
    cropScale: cropScale.default(defaults.cropScale).describe('Area range of the random resized crop.'),
  }),
  ({ image }, { cropScale: scale }, size, random) => randomResizedCrop(image, size, { scale }, random),
);
