/** The learning rate of every step: linear warm-up from 0, then half a cosine. (PAPER.md §6–7) */

export interface LearningRateSchedule {
  /** Rate for a batch of 256; the peak is this × batchSize / 256. */
  baseLearningRate: number;
  minLearningRate: number;
  warmupEpochs: number;
  batchSize: number;
  epochs: number;
}

/**
 * The rate of one step, as in MAE: from the fraction of the epochs that are done at its beginning.
 *
 * @param step From 0.
 */
export function learningRateAt(schedule: LearningRateSchedule, step: number, stepsPerEpoch: number): number {
  const peak = (schedule.baseLearningRate * schedule.batchSize) / 256;
  const epoch = step / stepsPerEpoch;
  if (epoch < schedule.warmupEpochs) return (peak * epoch) / schedule.warmupEpochs;
  const progress = (epoch - schedule.warmupEpochs) / (schedule.epochs - schedule.warmupEpochs);
  return schedule.minLearningRate + (peak - schedule.minLearningRate) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
