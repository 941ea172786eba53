/** The difference of a cell between two sides: paired by seed if both sides have the seeds, else Welch's. */
import type { Measurement } from '../../evidence/measurements.js';
import { intervalAround, spreadIsRounding, type Interval } from '../../statistics/interval.js';
import { studentTail } from '../../statistics/student.js';
import { welch } from '../../statistics/welch.js';
import { summaryStatistics } from '../../statistics/summary.js';

/** The parts of a run that a difference needs. */
export type Run = Pick<Measurement, 'seed' | 'accuracy' | 'unhealthy'>;

export interface SideSummary {
  /** Over the seeds of the difference. */
  mean: number | null;
  /** Runs that count, and those in the plan. */
  n: number;
  planned: number;
  /** Runs that do not count because their training did not work. */
  unhealthy: number;
}

export interface Difference {
  a: SideSummary;
  b: SideSummary;
  /** Mean of b minus mean of a; null if a side has no result. */
  mean: number | null;
  /** Not corrected for other differences. */
  interval: Interval | null;
  /** Two-sided p value of no difference; null if there is no interval. */
  p: number | null;
  /** Seeds that are paired; 0: unpaired, over all seeds of both. */
  pairs: number;
}

/** Fewer pairs than this have no interval. */
const FEWEST_PAIRS = 2;

/** The difference b − a of the runs of a cell. */
export function differenceOf(a: readonly Run[], b: readonly Run[]): Difference {
  const [left, right] = [bySeed(a), bySeed(b)];
  const shared = [...left.keys()].filter((seed) => right.has(seed));
  const alone = shared.length === 1 && left.size === 1 && right.size === 1;
  if (shared.length >= FEWEST_PAIRS || alone) {
    const values = [left, right].map((side) => shared.map((seed) => side.get(seed)!));
    return paired(a, b, values[0]!, values[1]!);
  }
  return unpaired(a, b, [...left.values()], [...right.values()]);
}

function bySeed(measurements: readonly Run[]): Map<number, number> {
  return new Map(
    measurements.flatMap(({ seed, accuracy }): [number, number][] => (accuracy === null ? [] : [[seed, accuracy]])),
  );
}

function paired(a: readonly Run[], b: readonly Run[], left: readonly number[], right: readonly number[]): Difference {
  const differences = right.map((value, i) => value - left[i]!);
  const { mean, std, n } = summaryStatistics(differences);
  const common = { a: summarize(a, left), b: summarize(b, right), mean, pairs: n };
  if (mean === null || std === null || spreadIsRounding(std, [...left, ...right])) {
    return { ...common, interval: null, p: null };
  }
  return { ...common, ...tested(mean, std / Math.sqrt(n), n - 1) };
}

function unpaired(a: readonly Run[], b: readonly Run[], left: readonly number[], right: readonly number[]): Difference {
  const sides = { a: summarize(a, left), b: summarize(b, right), pairs: 0 };
  const found = welch(left, right);
  if (found !== null) return { ...sides, mean: found.mean, ...tested(found.mean, found.standardError, found.degrees) };
  const mean = sides.a.mean === null || sides.b.mean === null ? null : sides.b.mean - sides.a.mean;
  return { ...sides, mean, interval: null, p: null };
}

const tested = (mean: number, standardError: number, degrees: number): { interval: Interval; p: number } => ({
  interval: intervalAround(mean, standardError, degrees),
  p: studentTail(mean / standardError, degrees),
});

/** @param values Those that the difference is of. */
export function summarize(measurements: readonly Run[], values: readonly number[]): SideSummary {
  return {
    mean: summaryStatistics(values).mean,
    n: measurements.filter(({ accuracy }) => accuracy !== null).length,
    planned: measurements.length,
    unhealthy: measurements.filter(({ unhealthy }) => unhealthy !== null).length,
  };
}

/** The summary of a cell that only one side has. */
export const summaryOf = (measurements: readonly Run[]): SideSummary =>
  summarize(measurements, [...bySeed(measurements).values()]);
