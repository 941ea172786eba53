/** Whether the training behind a result worked, judged only by the result. */
import { numberIn } from '../stages/fields.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import type { StageResult } from './records.js';

/**
 * What is wrong with a result that is complete: its training ended no better than a prediction that uses no image (zero
 * everywhere in pre-training, equal odds in classification). Such a run is shown, marked, and decides nothing.
 *
 * @returns a clause, such as `its loss ended at 2.31, no better than equal odds (2.30)`; null: nothing is wrong, or the
 *   result is of a kind or an engine revision that has no training loss to judge.
 */
export function healthProblem(result: StageResult): string | null {
  const { baseline } = STAGE_ENTRIES[result.kind];
  if (baseline === null) return null;
  const [loss, level] = [numberIn(result, baseline.loss), numberIn(result, baseline.level)];
  if (loss === null || level === null || loss < level) return null;
  return `its loss ended at ${loss.toPrecision(4)}, no better than ${baseline.name} (${level.toPrecision(4)})`;
}
