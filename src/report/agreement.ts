/** How far the order of some rows agrees with the paper's, if the data can show it. */
import { stream } from '../common/random.js';
import { commonSeeds, valuesBySeed, type ObjectiveRow } from './comparison.js';
import { rowsTest } from '../statistics/f-test.js';
import { rankTest, type RankCorrelation } from '../statistics/rank-test.js';
import { describeP, kendall, spearman, summaryStatistics } from '../statistics/summary.js';

export interface Correlation {
  /** Of the rows' means with the reference, in [−1, 1]. */
  value: number;
  /** Two-sided, of the permutation test. */
  p: number;
  /** The lowest and the highest correlation of a single seed; null: no seed has one. */
  range: readonly [number, number] | null;
}

export type Agreement =
  | { kind: 'found'; spearman: Correlation; kendall: Correlation; rows: number; seeds: readonly number[] }
  /** No agreement is reported; the reason, as a clause. */
  | { kind: 'withheld'; why: string };

/** Rows are distinguishable if the F test of rows over seeds has at most this p. */
const TOLD_APART = 0.05;

/**
 * Rank correlations of the rows' means, over the seeds that all have, with a reference; rows without one do not count.
 * Withheld below three rows and two seeds, and if the rows are not distinguishable: then their order is noise.
 */
export function agreementWith(
  reference: (row: ObjectiveRow) => number | null,
  rows: readonly ObjectiveRow[],
): Agreement {
  const compared = rows.filter((row) => row.statistics.n > 0 && reference(row) !== null);
  if (compared.length < 3) return withheld('fewer than three of its rows have a result');
  const seeds = commonSeeds(compared);
  if (seeds.length === 0) return withheld('no seed has a result of every row');
  if (seeds.length === 1) return withheld(`only one seed (${seeds[0]!}) has a result of every row`);
  const values = compared.map((row) => valuesBySeed(row, seeds));
  const p = rowsTest(values);
  if (p > TOLD_APART) {
    return withheld(`the objectives cannot be distinguished (F test of rows over seeds, p ${describeP(p)})`);
  }
  const references = compared.map((row) => reference(row)!);
  const [rho, tau] = [correlate('spearman', values, references), correlate('kendall', values, references)];
  if (rho === null || tau === null) return withheld('all rows have one accuracy in the paper');
  return { kind: 'found', spearman: rho, kendall: tau, rows: compared.length, seeds };
}

const withheld = (why: string): Agreement => ({ kind: 'withheld', why });

const CORRELATIONS = { spearman, kendall } satisfies Record<RankCorrelation, unknown>;

function correlate(
  name: RankCorrelation,
  rows: readonly (readonly number[])[],
  references: readonly number[],
): Correlation | null {
  const of = (values: readonly number[]): [number, number][] => values.map((value, i) => [value, references[i]!]);
  const means = of(rows.map((row) => summaryStatistics(row).mean!));
  const value = CORRELATIONS[name](means);
  if (value === null) return null;
  const single = rows[0]!.flatMap((_, seed) => CORRELATIONS[name](of(rows.map((row) => row[seed]!))) ?? []);
  return {
    value,
    p: rankTest(means, name, stream(0, 'report', 'orders', name)),
    range: single.length === 0 ? null : [Math.min(...single), Math.max(...single)],
  };
}
