/** The number of images in a step, which is smaller than the recipe's batch size if the split has fewer images. */
import type { TrainingEvent } from '../stages/events.js';

/**
 * The actual number of images in a step. Learning rates are scaled by it, and results record it.
 *
 * @param length Images in the split. If it is below the batch size, every epoch is one step of all images.
 */
export function imagesPerStep(batchSize: number, length: number, emit: (event: TrainingEvent) => void): number {
  if (length >= batchSize) return batchSize;
  const message =
    `a step has all ${length} training images, fewer than batchSize ${batchSize}, and the learning rate is scaled ` +
    `by ${length}; set batchSize to at most ${length} to avoid this warning`;
  emit({ type: 'warning', message });
  return length;
}
