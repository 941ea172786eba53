/** The mirror image, half of the time. */
import { z } from 'zod';
import { viewStep } from './augmentation.js';

export const flip = viewStep(
  () => ({ flip: z.boolean().default(true).describe('Mirror half of the images left to right.') }),
  (view, { flip: on }, _size, random) => ({ ...view, mirrored: on && random.uniform() < 0.5 }),
);
