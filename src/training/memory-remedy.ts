/** A remedy for a stage that ran out of memory: split its batches in more parts, with which the steps stay the same. */
import { TrainingError } from '../common/errors.js';
import type { StageConfig } from '../spec/stages.js';

/**
 * Adds a remedy to an out-of-memory error: the same batch in at least twice as many parts. Other errors are returned
 * unchanged.
 */
export function withMemoryRemedy(error: unknown, config: StageConfig): unknown {
  if (!(error instanceof TrainingError) || error.failure !== 'out-of-memory') return error;
  if (!('accumulate' in config.recipe)) return error;
  const { batchSize, accumulate } = config.recipe;
  const counts = Array.from({ length: batchSize }, (_, i) => i + 1);
  const parts = counts.find((count) => count >= 2 * accumulate && batchSize % count === 0);
  if (parts === undefined) return error;
  const remedy = `${config.kind}.accumulate: ${parts}, which takes ${batchSize / parts} images at once instead of ${batchSize / accumulate}`;
  return new TrainingError(`${error.message}; try ${remedy}`, 'out-of-memory');
}
