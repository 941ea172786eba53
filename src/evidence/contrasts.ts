/**
 * Contrasts between cells, paired by seed, and their estimates. A contrast is a sum of cells with weights
 * that cancel; an effect is the mean of the contrasts in its contexts (the levels of the other factors).
 */
import type { FactorCell } from './factorial.js';
import { contrastOverSeeds } from '../statistics/cells-and-seeds.js';
import { intervalAround, spreadIsRounding, type Interval } from '../statistics/interval.js';
import { studentTail } from '../statistics/student.js';

/** The seeds of one combination of settings. */
export type ContrastCell = Pick<FactorCell, 'measurements' | 'accuracies'>;

export type Contrast = readonly { cell: ContrastCell; weight: number }[];

/** Why an effect has no p value. */
export type Obstacle =
  /** The plan has no two cells that differ in it. */
  | 'no cells'
  /** A planned cell has no result of any seed, so the planned effect cannot be estimated. */
  | 'contexts missing'
  /** Fewer than two seeds have results that can be compared. */
  | 'too few seeds'
  /** The seeds agree to the last digit. Accuracies are discrete, so a spread of zero is not certainty. */
  | 'no spread';

export interface Estimate {
  /** In points of accuracy, over all planned contexts; null if it cannot be estimated. */
  mean: number | null;
  /** Standard deviation of a seed's contrast. */
  std: number | null;
  /** Of the mean. */
  standardError: number | null;
  /** Student's interval, not corrected for other estimates. */
  interval: Interval | null;
  /** Two-sided p value of Student's test that the effect is zero; null: see `obstacle`. */
  p: number | null;
  degrees: number | null;
  obstacle: Obstacle | null;
  /** Seeds taken, and those in the plan: with at least two of the cells. */
  n: number;
  planned: number;
  /** Missing runs of these seeds, filled by the fit of cells and seeds. */
  filled: number;
  /** Contexts whose cells all have a result, and those in the plan. */
  contexts: number;
  contextsPlanned: number;
  /** The contrast of each seed; `mean` is their mean. If runs are filled, they are not independent. */
  bySeed: readonly number[];
}

export const cellsOf = (contrast: Contrast): ContrastCell[] => contrast.map(({ cell }) => cell);

/** a − b. */
export function difference(a: ContrastCell, b: ContrastCell): Contrast {
  return [
    { cell: a, weight: 1 },
    { cell: b, weight: -1 },
  ];
}

/** The mean of several contrasts, cell by cell. */
export function meanContrast(contrasts: readonly Contrast[]): Contrast {
  const weights = new Map<ContrastCell, number>();
  for (const { cell, weight } of contrasts.flat()) {
    weights.set(cell, (weights.get(cell) ?? 0) + weight / contrasts.length);
  }
  return [...weights].map(([cell, weight]) => ({ cell, weight }));
}

/**
 * Estimates the mean of contrasts, one for each context, over every planned context. Missing runs are filled by a fit
 * of cells and seeds (see `src/statistics/cells-and-seeds.ts`), so that the effect stays the one that was planned.
 */
export function estimate(contrasts: readonly Contrast[]): Estimate {
  const contrast = meanContrast(contrasts).filter(({ weight }) => Math.abs(weight) > ROUNDING);
  const contexts = contrasts.filter((each) => cellsOf(each).every(({ accuracies }) => accuracies.size > 0)).length;
  const counts = {
    planned: seedsWithTwo(contrast, plannedSeeds),
    contexts,
    contextsPlanned: contrasts.length,
  };
  if (contrasts.length === 0) return { ...NOTHING, ...counts, obstacle: 'no cells' };
  const measured = { ...counts, n: seedsWithTwo(contrast, measuredSeeds) };
  if (contexts < contrasts.length) return { ...NOTHING, ...measured, obstacle: 'contexts missing' };
  const found = contrastOverSeeds(contrast.map(({ cell, weight }) => ({ weight, values: cell.accuracies })));
  if (found === null) return { ...NOTHING, ...measured, obstacle: 'too few seeds' };
  const { mean, filled, values: bySeed, spread } = found;
  const estimated = { ...NOTHING, ...measured, mean, filled, bySeed };
  if (spread === null) return { ...estimated, obstacle: 'too few seeds' };
  const { std, standardError, degrees } = spread;
  if (spreadIsRounding(std, bySeed)) return { ...estimated, std, obstacle: 'no spread' };
  return {
    ...estimated,
    std,
    standardError,
    interval: intervalAround(mean, standardError, degrees),
    p: studentTail(mean / standardError, degrees),
    degrees,
    obstacle: null,
  };
}

/** Weights below this are rounding of floats. */
const ROUNDING = 1e-12;

const NOTHING = {
  mean: null,
  std: null,
  standardError: null,
  interval: null,
  p: null,
  degrees: null,
  n: 0,
  filled: 0,
  bySeed: [],
} as const;

const measuredSeeds = ({ accuracies }: ContrastCell): number[] => [...accuracies.keys()];
const plannedSeeds = ({ measurements }: ContrastCell): number[] => measurements.map(({ seed }) => seed);

/** How many seeds at least two cells of the contrast have. */
function seedsWithTwo(contrast: Contrast, of: (cell: ContrastCell) => number[]): number {
  const counts = new Map<number, number>();
  for (const seed of contrast.flatMap(({ cell }) => of(cell))) counts.set(seed, (counts.get(seed) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1).length;
}
