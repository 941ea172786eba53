/** The percentile bootstrap of a mean. */
import type { Random } from '../common/random.js';
import { CONFIDENCE, type Interval } from './interval.js';

const RESAMPLES = 10_000;

/** Up to here all n^n resamples are gone through (3,125 for 5), so that no chance is left in the answer. */
const ENUMERATED = 5;

/**
 * The percentile bootstrap interval of the mean of independent values. It undercovers few values: three give
 * little less than their range, which holds the truth in two of three cases.
 *
 * @param random Draws the resamples if there are more than five values.
 * @returns null below two values.
 */
export function bootstrapInterval(values: readonly number[], random: Random, confidence = CONFIDENCE): Interval | null {
  const n = values.length;
  if (n < 2) return null;
  const means = n <= ENUMERATED ? everyMean(values) : drawnMeans(values, random);
  means.sort();
  const tail = (1 - confidence) / 2;
  return [quantile(means, tail), quantile(means, 1 - tail)];
}

function everyMean(values: readonly number[]): Float64Array {
  const n = values.length;
  return Float64Array.from({ length: n ** n }, (_, index) => {
    let sum = 0;
    for (let i = 0, rest = index; i < n; i++, rest = Math.floor(rest / n)) sum += values[rest % n]!;
    return sum / n;
  });
}

function drawnMeans(values: readonly number[], random: Random): Float64Array {
  const n = values.length;
  return Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.integer(n)]!;
    return sum / n;
  });
}

/** Between the two nearest places of sorted values, linearly, as NumPy and SciPy have it by default. */
function quantile(sorted: Float64Array, probability: number): number {
  const place = probability * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
