/** Number functions that the benchmarks share: parsing of options, and the median. */
import { UsageError } from '../src/common/errors.js';

/** @throws UsageError unless the text is a whole number from 1. */
export function count(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError(`${option} ${text}: expected a whole number from 1`);
  return number;
}

/**
 * A rate in the given unit, or null if it is not given.
 *
 * @throws UsageError unless it is a number above 0.
 */
export function optionalRate(option: string, text: string | undefined, unit: number): number | null {
  if (text === undefined) return null;
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number)) throw new UsageError(`${option} ${text}: expected a number above 0`);
  return number * unit;
}

/** The median; for an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
