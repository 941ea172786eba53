/** The augmented views that training sees. */
import { stream } from '../common/random.js';
import type { View } from '../common/view.js';
import { randomResizedCrop } from '../data/augment.js';
import type { Split } from '../data/split.js';

export interface ViewOptions {
  seed: number;
  /** Side of the view, in pixels. */
  size: number;
  cropScale: readonly [number, number];
  flip: boolean;
}

/** A view, and the target of the image it shows. */
export interface TargetedView<Target = unknown> {
  readonly view: View;
  readonly target: Target;
}

/**
 * A random resized crop of one image, mirrored half of the time. The draws depend on seed, epoch and index alone: every
 * objective of a seed sees the same crops.
 */
export async function augmentedView<Target>(
  split: Split<Target>,
  index: number,
  epoch: number,
  { seed, size, cropScale, flip }: ViewOptions,
): Promise<TargetedView<Target>> {
  const { image, target } = await split.sample(index);
  const random = stream(seed, 'augment', epoch, index);
  const crop = randomResizedCrop(image, size, { scale: cropScale }, random);
  return { view: { ...crop, mirrored: flip && random.uniform() < 0.5 }, target };
}
