/** Whether the training behind a result worked, judged by the result alone. */
import type { StageResult } from './records.js';

/**
 * What is wrong with a result that is complete: its training ended no better than a prediction that uses no image (zero
 * everywhere in pre-training, equal odds in classification). Such a run is shown, marked, and decides nothing.
 *
 * @returns a clause, such as `its loss ended at 2.31, no better than equal odds (2.30)`; null: nothing is wrong, or the
 *   result is of a kind or an engine revision that has no training loss to judge.
 */
export function healthProblem(result: StageResult): string | null {
  switch (result.kind) {
    case 'pretrain':
      return worseThan(result.loss, result.zeroLoss, 'a prediction of zero');
    case 'finetune':
    case 'linear':
      return worseThan(result.loss, result.chanceLoss, 'equal odds');
    case 'knn':
      return null;
  }
}

function worseThan(loss: number | null, baseline: number | null, of: string): string | null {
  if (loss === null || baseline === null || loss < baseline) return null;
  return `its loss ended at ${loss.toPrecision(4)}, no better than ${of} (${baseline.toPrecision(4)})`;
}
