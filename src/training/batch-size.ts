/** The number of images in a step, where a split may have fewer than a recipe asks for. */
import type { TrainingEvent } from '../stages/events.js';

/**
 * The images that a step really has. Learning rates are scaled by them, and results record them.
 *
 * @param length Images in the split. Below the batch size every epoch is one step of all of them.
 */
export function imagesPerStep(batchSize: number, length: number, emit: (event: TrainingEvent) => void): number {
  if (length >= batchSize) return batchSize;
  const message =
    `a step has all ${length} training images, fewer than batchSize ${batchSize}; the learning rate is scaled ` +
    `by ${length}. Set batchSize to at most ${length} to be rid of this warning`;
  emit({ type: 'warning', message });
  return length;
}
