/** What to try when a stage has run out of memory: its batches in more parts, which take the same steps. */
import { TrainingError } from '../common/errors.js';
import type { StageConfig } from '../spec/stages.js';

/** Adds to a want of memory what may fit: the same batch in twice as many parts or a few more. All else passes as it is. */
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
