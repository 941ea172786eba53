/** Results that are missing, in words: the first few, and how many more there are. */
import { groupBy } from '../common/group-by.js';
import type { MissingResult } from './collect.js';

/** Of more missing results, the first ones are named. `runs.csv` has all of them. */
const MOST_NAMED = 20;

export interface MissingInBrief<T> {
  first: readonly T[];
  /** On those that are not among the first, as a clause; null: there are none. */
  rest: string | null;
}

/** The first missing results, and the others counted by reason. */
export function missingInBrief(missing: readonly MissingResult[]): MissingInBrief<MissingResult> {
  const first = missing.slice(0, MOST_NAMED);
  const others = missing.slice(MOST_NAMED);
  if (others.length === 0) return { first, rest: null };
  const counts = [...groupBy(others, ({ why }) => reasonOf(why))].map(([why, own]) => `${own.length} ${why}`);
  return { first, rest: `and ${others.length} more (${counts.join(', ')}); the column "missing" of runs.csv has all` };
}

/** A reason without the parts in which equal failures differ. */
const reasonOf = (why: string): string => why.split(':')[0]!;
