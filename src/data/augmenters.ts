/**
 * Threads that compute augmented images. A random crop with RandAugment takes some milliseconds of a thread, much longer
 * than a GPU has for an image, and the thread that submits its work must not wait.
 */
import type { ByteImage } from '../common/image.js';
import { augment, changesPixels, wholeView, type AugmentationRecipe, type Augmented } from './augmentations/augment.js';
import type { Patch } from './augmentations/augmentation.js';
import { askLeastBusy, ImageThread } from './image-threads.js';

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
 * Augments images, beside the calling thread where a recipe changes pixels and there are cores for it. The results do not
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
  return async ({ image: { data, height, width, release }, epoch, index }) => {
    // A copy of a typed array that is not shared would have the whole buffer below it, such as all images of a data set.
    const own = data.buffer instanceof SharedArrayBuffer ? data : data.slice();
    const { told: patches, image } = await ask({ image: { data: own, height, width }, epoch, index });
    release?.();
    return { view: wholeView(image!), patches };
  };
}
