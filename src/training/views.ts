/** The augmented views of images for training. */
import type { View } from '../common/view.js';
import { augment, type AugmentationRecipe } from '../data/augmentations/augment.js';
import type { Split } from '../data/split.js';

export interface ViewOptions extends AugmentationRecipe {
  seed: number;
  /** Side of the view, in pixels. */
  size: number;
}

/** A view, and the target of the image it shows. */
export interface TargetedView<Target = unknown> {
  readonly view: View;
  readonly target: Target;
}

/** An augmented view of one image of a split, with its target. */
export async function augmentedView<Target>(
  split: Split<Target>,
  index: number,
  epoch: number,
  { seed, size, ...recipe }: ViewOptions,
): Promise<TargetedView<Target>> {
  const { image, target } = await split.sample(index);
  return { view: augment(image, size, recipe, { seed, epoch, index }), target };
}
