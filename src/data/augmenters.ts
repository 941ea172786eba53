/**
 * Threads that compute augmented images. A random crop with RandAugment takes some milliseconds of a thread, much
 * longer than a GPU has for an image, and the thread that submits its work must not wait.
 */
import type { ByteImage } from '../common/image.js';
import { augment, changesPixels, wholeView, type AugmentationRecipe, type Augmented } from './augmentations/augment.js';
import type { Patch } from './augmentations/augmentation.js';
import { askLeastBusy, ImageThread, toSend } from './image-threads.js';

export interface AugmenterOptions {
  readonly recipe: AugmentationRecipe;
  /** Side of the views, in pixels. */
  readonly size: number;
  readonly seed: number;
}

export interface ImageToAugment {
  readonly image: ByteImage;
  readonly epoch: number;
  /** Of the image in its split. */
  readonly index: number;
}

/** Augments one image, and releases its memory. */
export type Augmenter = (work: ImageToAugment) => Promise<Augmented>;

const MOST_AUGMENTERS = 32;

/**
 * Augments images. If a recipe changes pixels and there are cores for them, other threads do it. The results do not
 * depend on the number of cores.
 *
 * @param cores That the process may have to itself.
 */
export function openAugmenter({ recipe, size, seed }: AugmenterOptions, cores: number): Augmenter {
  const plain: AugmenterOptions['recipe'] = recipe;
  if (cores <= 1 || !changesPixels(recipe)) {
    return ({ image, epoch, index }) => Promise.resolve(augment(image, size, plain, { seed, epoch, index }));
  }
  const count = Math.min(MOST_AUGMENTERS, cores - 1);
  const module = new URL('./augmenter.js', import.meta.url);
  const ask = askLeastBusy(count, () => {
    return new ImageThread<ImageToAugment, readonly Patch[]>(module, { recipe, size, seed });
  });
  return async ({ image, epoch, index }) => {
    const { told: patches, image: augmented } = await ask({ image: toSend(image), epoch, index });
    image.release?.();
    return { view: wholeView(augmented!), patches };
  };
}
