/**
 * Random erasing as in timm (`RandomErasing`, mode `pixel`, one block): a box of the normalised image is replaced by noise
 * of N(0, 1) for each value. (PAPER.md §7)
 */
import { offAt, probability } from '../../common/values.js';
import type { Random } from '../../common/random.js';
import { onlyFor, patchStep, type Patch } from './augmentation.js';

const AREA = [0.02, 1 / 3] as const;
const LOG_RATIO = [Math.log(0.3), Math.log(1 / 0.3)] as const;
const ATTEMPTS = 10;

/**
 * Draws the box as timm does; null if ten boxes in succession were too large.
 *
 * @param size Side of the image, in pixels.
 */
export function drawErasedBox(size: number, random: Random): Omit<Patch, 'values'> | null {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = size ** 2 * random.uniform(...AREA);
    const ratio = Math.exp(random.uniform(...LOG_RATIO));
    const [height, width] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (height >= size || width >= size) continue;
    return { top: random.integer(size - height + 1), left: random.integer(size - width + 1), height, width };
  }
  return null;
}

// In pre-training, noise in the place of pixels would have to be predicted, too.
export const randomErasing = onlyFor(
  ['finetune'],
  patchStep(
    () => ({
      randomErasing: offAt(0, probability).describe(
        'Probability that a box of 2 to 33 % of an image is replaced by noise, as in timm.',
      ),
    }),
    ({ randomErasing: odds = 0 }, size, random) => {
      const box = random.uniform() < odds ? drawErasedBox(size, random) : null;
      if (box === null) return [];
      const values = new Float32Array(box.height * box.width * 3);
      for (let i = 0; i < values.length; i++) values[i] = random.normal();
      return [{ ...box, values }];
    },
  ),
);
