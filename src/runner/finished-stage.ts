/** A finished stage whose weights are used outside of its sweep: exported, or to compute features. */
import { UsageError } from '../common/errors.js';
import { describeStage } from '../spec/describe.js';
import type { Plan, Stage } from '../spec/stages.js';
import { readResult } from '../store/chain.js';
import { sweepPaths } from '../store/layout.js';
import type { StageResult } from '../store/records.js';
import { chooseStage, type StageChoice } from './choose-stage.js';

export interface FinishedStage {
  /** The results folder. */
  folder: string;
  plan: Plan;
  stage: Stage;
  result: StageResult;
  /** Its checkpoint. */
  checkpoint: string;
}

/**
 * Finds the stage that a user names.
 *
 * @throws UsageError if no stage or several match, or if it has no result.
 */
export function findFinished(folder: string, plan: Plan, choice: StageChoice): FinishedStage {
  const stage = chooseStage(plan, choice);
  const paths = sweepPaths(folder).stage(stage.id);
  const stored = readResult(stage, paths);
  if (stored.kind !== 'present') {
    const why = stored.kind === 'missing' ? 'has no result yet' : `has no result that counts (${stored.problem})`;
    throw new UsageError(`stage ${stage.id} (${describeStage(plan, stage)}) ${why}; run the sweep first`);
  }
  return { folder, plan, stage, result: stored.value, checkpoint: paths.checkpoint };
}
