/**
 * Contrasts between cells, paired by seed, and what they are estimated to be. A contrast is a sum of cells with weights
 * that cancel; an effect is the mean of the contrasts in its contexts (the levels of the other factors).
 */
import type { FactorCell } from './factorial.js';
import { studentInterval, type Interval } from './inference/interval.js';
import { summaryStatistics } from './statistics.js';

export type Contrast = readonly { cell: FactorCell; weight: number }[];

export interface Estimate {
  /** In points of accuracy; null where no seed has every cell of a context. */
  mean: number | null;
  /** Sample standard deviation of the seeds' contrasts. */
  std: number | null;
  /** Student's, over the seeds. */
  interval: Interval | null;
  /** Seeds taken, and those whose cells are all in the plan for some context. */
  n: number;
  planned: number;
  /** Contexts taken, and those in the plan. */
  contexts: number;
  contextsPlanned: number;
  /** The contrast of each seed, which the mean is that of; and of each seed in each context. */
  bySeed: readonly number[];
  pairs: readonly number[];
}

export const cellsOf = (contrast: Contrast): FactorCell[] => contrast.map(({ cell }) => cell);

/** a − b. */
export function difference(a: FactorCell, b: FactorCell): Contrast {
  return [
    { cell: a, weight: 1 },
    { cell: b, weight: -1 },
  ];
}

/** The mean of several contrasts, cell by cell. */
export function meanContrast(contrasts: readonly Contrast[]): Contrast {
  const weights = new Map<FactorCell, number>();
  for (const { cell, weight } of contrasts.flat()) {
    weights.set(cell, (weights.get(cell) ?? 0) + weight / contrasts.length);
  }
  return [...weights].map(([cell, weight]) => ({ cell, weight }));
}

/**
 * Estimates the mean of contrasts, one for each context. Every seed that is taken has every context that is taken, so
 * that no seed weighs differently: where results are missing, those contexts and seeds are taken that have the most pairs.
 */
export function estimate(contrasts: readonly Contrast[]): Estimate {
  const complete = contrasts.map((contrast) => ({ contrast, seeds: seedsOf(contrast, measuredSeeds) }));
  const { seeds, taken } = fullest(complete);
  const values = seeds.map((seed) => taken.map((contrast) => valueAt(contrast, seed)));
  const means = values.map((own) => summaryStatistics(own).mean!);
  const { mean, std, n } = summaryStatistics(means);
  return {
    mean,
    std,
    interval: studentInterval(means),
    n,
    planned: new Set(contrasts.flatMap((contrast) => seedsOf(contrast, plannedSeeds))).size,
    contexts: taken.length,
    contextsPlanned: contrasts.length,
    bySeed: means,
    pairs: values.flat(),
  };
}

interface Complete {
  contrast: Contrast;
  seeds: number[];
}

/** Of seeds × contexts the full rectangle with the most pairs; of equal ones, that with more seeds. */
function fullest(complete: readonly Complete[]): { seeds: number[]; taken: Contrast[] } {
  const sets = complete.map(({ seeds }) => seeds);
  const candidates = [...sets, ...sets.slice(1).map((_, i) => common(sets.slice(0, i + 2)))];
  const rectangles = candidates
    .filter((seeds) => seeds.length > 0)
    .map((seeds) => ({
      seeds,
      taken: complete
        .filter((each) => seeds.every((seed) => each.seeds.includes(seed)))
        .map(({ contrast }) => contrast),
    }));
  const size = ({ seeds, taken }: (typeof rectangles)[number]): number => seeds.length * taken.length;
  rectangles.sort((a, b) => size(b) - size(a) || b.seeds.length - a.seeds.length);
  return rectangles[0] ?? { seeds: [], taken: [] };
}

const common = (sets: readonly number[][]): number[] =>
  sets.reduce((shared, set) => shared.filter((seed) => set.includes(seed)));

const measuredSeeds = ({ accuracies }: FactorCell): number[] => [...accuracies.keys()];
const plannedSeeds = ({ measurements }: FactorCell): number[] => measurements.map(({ seed }) => seed);

/** Seeds that every cell of the contrast has. */
function seedsOf(contrast: Contrast, of: (cell: FactorCell) => number[]): number[] {
  return common(contrast.map(({ cell }) => of(cell))).sort((a, b) => a - b);
}

function valueAt(contrast: Contrast, seed: number): number {
  return contrast.reduce((sum, { cell, weight }) => sum + weight * cell.accuracies.get(seed)!, 0);
}
