/** The work of a stage and the checkpoint that it leaves, by the entry of its kind. */
import { entryOf } from '../stages/index.js';
import type { Checkpoint, StageImages } from '../stages/stage.js';
import * as costs from './flops.js';
import * as shapes from './shapes.js';
import type { StageConfig } from './stages.js';

const ARITHMETIC = { ...costs, ...shapes };

/** FLOPs of the model in a whole stage. */
export const flopsOfStage = (config: StageConfig, images: StageImages): number =>
  entryOf(config).flops(config, images, ARITHMETIC);

/**
 * The checkpoint that a stage leaves; null: none.
 *
 * @param classes Of its data set.
 */
export function checkpointOf(config: StageConfig, classes: number): Checkpoint | null {
  const entry = entryOf(config);
  return entry.trains === 'all weights' ? entry.checkpoint(config, classes, ARITHMETIC) : null;
}
