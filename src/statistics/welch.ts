/** The difference of two means of independent samples whose spreads may differ. */
import { summaryStatistics } from './summary.js';
import { spreadIsRounding } from './interval.js';

export interface MeanDifference {
  /** Mean of the second sample minus mean of the first. */
  mean: number;
  standardError: number;
  /** Satterthwaite's, a positive real number. */
  degrees: number;
}

/**
 * Welch's estimate.
 *
 * @returns null if a sample has fewer than two values, or neither sample has a spread.
 */
export function welch(first: readonly number[], second: readonly number[]): MeanDifference | null {
  const [a, b] = [summaryStatistics(first), summaryStatistics(second)];
  if (a.mean === null || b.mean === null || a.std === null || b.std === null) return null;
  if (spreadIsRounding(Math.max(a.std, b.std), [...first, ...second])) return null;
  const [x, y] = [a.std ** 2 / a.n, b.std ** 2 / b.n];
  return {
    mean: b.mean - a.mean,
    standardError: Math.sqrt(x + y),
    degrees: (x + y) ** 2 / (x ** 2 / (a.n - 1) + y ** 2 / (b.n - 1)),
  };
}
