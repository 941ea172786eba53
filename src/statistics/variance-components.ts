/**
 * The two parts of the variance of runs in groups: between the groups, and within them. One-way analysis of variance
 * with random groups, by the method of moments; groups may have different numbers of runs.
 *
 * Searle, Casella and McCulloch, Variance Components (1992), chapter 3.
 */
import { sum } from '../common/sums.js';

/** Sums of squares, from which components follow. Those of several samples may be added. */
export interface Squares {
  /** Groups, and runs in them. */
  groups: number;
  runs: number;
  between: { squares: number; degrees: number };
  within: { squares: number; degrees: number };
  /**
   * Σ over samples of n₀ times the degrees between groups; n₀ is the number of runs of each group if all have as many.
   */
  weight: number;
}

export interface Components {
  /** Variance between groups, beyond the variance within them; 0 if the estimate is negative. */
  between: number;
  within: number;
  /** `between` as a share of the variance of a single run, in [0, 1]; null if the variance is 0. */
  share: number | null;
}

/** The sums of squares of one sample; groups without runs do not count. */
export function squaresOf(sample: readonly (readonly number[])[]): Squares {
  const groups = sample.filter(({ length }) => length > 0);
  const sizes = groups.map(({ length }) => length);
  const runs = sum(sizes);
  const grand = sum(groups.map(sum)) / runs;
  const means = groups.map((group) => sum(group) / group.length);
  return {
    groups: groups.length,
    runs,
    between: {
      squares: runs === 0 ? 0 : sum(means.map((mean, i) => sizes[i]! * (mean - grand) ** 2)),
      degrees: Math.max(0, groups.length - 1),
    },
    within: {
      squares: sum(groups.map((group, i) => sum(group.map((value) => (value - means[i]!) ** 2)))),
      degrees: runs - groups.length,
    },
    weight: runs === 0 ? 0 : runs - sum(sizes.map((size) => size ** 2)) / runs,
  };
}

/** The sums of squares of several samples, whose means may differ. */
export function pooled(samples: readonly Squares[]): Squares {
  const of = (value: (each: Squares) => number): number => sum(samples.map(value));
  return {
    groups: of(({ groups }) => groups),
    runs: of(({ runs }) => runs),
    between: { squares: of(({ between }) => between.squares), degrees: of(({ between }) => between.degrees) },
    within: { squares: of(({ within }) => within.squares), degrees: of(({ within }) => within.degrees) },
    weight: of(({ weight }) => weight),
  };
}

/** The components; null: no group has two runs, or there is one group. */
export function componentsOf({ between, within, weight }: Squares): Components | null {
  if (between.degrees === 0 || within.degrees === 0) return null;
  const ofRuns = within.squares / within.degrees;
  // The expected sum of squares between groups is degrees · within + weight · between.
  const ofGroups = Math.max(0, (between.squares - between.degrees * ofRuns) / weight);
  const total = ofGroups + ofRuns;
  return { between: ofGroups, within: ofRuns, share: total === 0 ? null : ofGroups / total };
}
