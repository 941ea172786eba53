/**
 * When a training has diverged. It is judged against two levels: the loss of a prediction that uses no image (zero
 * everywhere in pre-training, equal odds in classification) and the loss of the first step. A run that ends no better
 * than the first level, but within the limits below, is complete and marked as unhealthy (`src/store/health.ts`).
 */
import { TrainingError } from '../common/errors.js';

export interface Levels {
  /** The loss of the first step. */
  first: number;
  /** The loss of a prediction that uses no image. */
  baseline: number;
}

/** A mean over steps of this many times both levels is divergence: healthy runs exceed them only by tens of percent. */
const EXPLODED = 10;

/** A final loss of more than this many times both levels is divergence: smaller excesses can be noise of few steps. */
const WORSE = 1.1;

const REMEDY = 'lower baseLearningRate, lengthen warmupEpochs or set clipGradient';

/**
 * Checks the mean loss between two readings.
 *
 * @throws TrainingError (`diverged`) if it is not finite, or far above both levels.
 */
export function checkReading(loss: number, [from, to]: readonly [number, number], levels: Levels): void {
  const when = `between step ${from} and step ${to}`;
  if (!Number.isFinite(loss)) throw new TrainingError(`the loss became ${loss} ${when}; ${REMEDY}`, 'diverged');
  if (loss > EXPLODED * Math.max(levels.first, levels.baseline)) throw diverged(loss, when, levels);
}

/**
 * Checks the mean loss of the last epoch.
 *
 * @throws TrainingError (`diverged`) if it is above both the loss of the first step and the loss of a prediction
 *   without the image.
 */
export function checkFinish(loss: number, levels: Levels): void {
  if (loss > WORSE * Math.max(levels.first, levels.baseline)) throw diverged(loss, 'in the last epoch', levels);
}

function diverged(loss: number, when: string, { first, baseline }: Levels): TrainingError {
  return new TrainingError(
    `the loss was ${loss.toPrecision(4)} ${when}, ${first.toPrecision(4)} in the first step and ` +
      `${baseline.toPrecision(4)} for a prediction that uses no image; ${REMEDY}`,
    'diverged',
  );
}
