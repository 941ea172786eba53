/** The augmented views of images for training. */
import type { AugmentationRecipe, Augmented } from '../data/augmentations/augment.js';
import { openAugmenter, type Augmenter } from '../data/augmenters.js';
import type { Split } from '../data/split.js';

export interface ViewOptions extends AugmentationRecipe {
  seed: number;
  /** Side of the view, in pixels. */
  size: number;
}

/** A view with its patches, and the target of the image it shows. */
export interface TargetedView<Target = unknown> extends Augmented {
  readonly target: Target;
}

/** Opens the augmentation of a recipe; see {@link openAugmenter}. */
export const augmenterOf = ({ seed, size, ...recipe }: ViewOptions, cores = 1): Augmenter =>
  openAugmenter({ recipe, size, seed }, cores);

/** An augmented view of one image of a split, with its target. */
export async function augmentedView<Target>(
  split: Split<Target>,
  index: number,
  epoch: number,
  augment: Augmenter,
): Promise<TargetedView<Target>> {
  const { image, target } = await split.sample(index);
  return { ...(await augment({ image, epoch, index })), target };
}
