/** The entry point of a thread of `augmenters.ts`. */
import { workerData } from 'node:worker_threads';
import { augment } from './augmentations/augment.js';
import type { Patch } from './augmentations/augmentation.js';
import type { AugmenterOptions, ImageToAugment } from './augmenters.js';
import { serveImages } from './serve-images.js';

const { recipe, size, seed } = workerData as AugmenterOptions;

serveImages<ImageToAugment, readonly Patch[]>(({ image, epoch, index }) => {
  const { view, patches } = augment(image, size, recipe, { seed, epoch, index });
  return Promise.resolve({ told: patches, image: view.image });
});
