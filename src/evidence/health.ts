/** Whether a run counts: its own training worked, and so did the pre-training before it. */
import { healthProblem } from '../store/health.js';
import type { StageOutcome } from './measurements.js';

/** null: nothing is wrong with the result, or there is none. */
export function stageProblem({ result }: Pick<StageOutcome, 'result'>): string | null {
  return result === null ? null : healthProblem(result);
}

/** Why a run's accuracy does not count, by its own training or the pre-training before it; null: it counts. */
export function runProblem(evaluation: StageOutcome, pretraining: StageOutcome | undefined): string | null {
  const before = pretraining === undefined ? null : stageProblem(pretraining);
  return before === null ? stageProblem(evaluation) : `pre-training: ${before}`;
}
