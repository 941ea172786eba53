/** The interval that verdicts rest on: Student's, over independent values. */
import { summaryStatistics } from './summary.js';
import { centralStudent } from './student.js';

export type Interval = readonly [low: number, high: number];

/** The confidence of every interval in a report. */
export const CONFIDENCE = 0.95;

/** Spreads below this share of the values are rounding of floats, not a spread. */
const ROUNDING = 1e-9;

/** Whether a standard deviation is nothing but rounding. */
export function spreadIsRounding(std: number, values: readonly number[]): boolean {
  return std <= ROUNDING * Math.max(1, ...values.map(Math.abs));
}

/** Student's confidence interval around an estimate. */
export function intervalAround(
  mean: number,
  standardError: number,
  degrees: number,
  confidence = CONFIDENCE,
): Interval {
  const half = centralStudent(confidence, degrees) * standardError;
  return [mean - half, mean + half];
}

/**
 * Student's confidence interval of a mean. Under normal noise it covers the true value at its rate for all n ≥ 2,
 * which a bootstrap of three values does not.
 *
 * @returns null below two values, and if all values are equal: accuracies come in steps, so a spread of zero is no
 *   certainty.
 */
export function studentInterval(values: readonly number[]): Interval | null {
  const { mean, std, n } = summaryStatistics(values);
  if (mean === null || std === null || spreadIsRounding(std, values)) return null;
  return intervalAround(mean, std / Math.sqrt(n), n - 1);
}
