/** The augmented views that training sees. */
import type { FloatImage } from '../common/image.js';
import { stream } from '../common/random.js';
import { horizontalFlip, randomResizedCrop } from '../data/augment.js';
import type { Split } from '../data/split.js';

export interface ViewOptions {
  seed: number;
  /** Side of the view, in pixels. */
  size: number;
  cropScale: readonly [number, number];
  flip: boolean;
}

/**
 * A random resized crop of one image, mirrored half of the time. The draws depend on seed, epoch and index alone: every
 * objective of a seed sees the same crops.
 *
 * @returns The view in [0, 1], and the label of the image it shows.
 */
export async function augmentedView(
  split: Split,
  index: number,
  epoch: number,
  { seed, size, cropScale, flip }: ViewOptions,
): Promise<{ image: FloatImage; label: number }> {
  const { image, label } = await split.sample(index);
  const random = stream(seed, 'augment', epoch, index);
  const crop = randomResizedCrop(image, size, { scale: cropScale }, random);
  return { image: flip && random.uniform() < 0.5 ? horizontalFlip(crop) : crop, label };
}
