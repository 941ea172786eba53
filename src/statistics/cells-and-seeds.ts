/**
 * A contrast between cells, estimated from runs of which some are missing. The model is additive: a run's accuracy is
 * what its cell has, what its seed adds to every cell, and an error. Ordinary least squares fits cells and seeds to the
 * runs there are; missing runs are filled by that fit; then each seed has a contrast, and Student's interval over the
 * seeds follows, as without missing runs.
 *
 * A filled run repeats what others say, so the filled contrasts vary too little and are correlated. Both are known:
 * each filled contrast is a weighted sum of the runs. The spread is scaled, and the degrees of freedom are counted
 * (Satterthwaite), so that both are exact in expectation for independent errors. Without missing runs the scale is 1
 * and the degrees n − 1.
 */
import { sum } from '../common/sums.js';

export interface WeightedCell {
  /** Weights of a contrast's cells add up to 0. */
  weight: number;
  /** Seed → accuracy, of the runs there are. */
  values: ReadonlyMap<number, number>;
}

export interface SeedContrasts {
  /** Seeds taken: those with at least two of the cells; fewer give no difference. */
  seeds: readonly number[];
  /** The contrast of each seed, with missing runs filled. */
  values: readonly number[];
  /** Runs filled. */
  filled: number;
  /** The least squares estimate; also the mean of the values. */
  mean: number;
  /**
   * Standard deviation of a seed's contrast without missing runs, standard error of the mean, and degrees of freedom;
   * null if fewer than two seeds determine the contrast.
   */
  spread: { std: number; standardError: number; degrees: number } | null;
}

/** Fits cells and seeds. null: the cells have no result, or share too few seeds to be compared. */
export function contrastOverSeeds(cells: readonly WeightedCell[]): SeedContrasts | null {
  const all = new Set(cells.flatMap(({ values }) => [...values.keys()]));
  const seeds = [...all]
    .filter((seed) => cells.filter(({ values }) => values.has(seed)).length > 1)
    .sort((a, b) => a - b);
  const runs = cells.map(({ values }) => seeds.map((seed) => values.get(seed) ?? null));
  const weights = cells.map(({ weight }) => weight);
  if (seeds.length === 0 || runs.some((row) => row.every((run) => run === null))) return null;
  const complete = runs.every((row) => row.every((run) => run !== null));
  const forms = complete ? null : linearForms(runs, weights);
  if (!complete && forms === null) return null;
  const flat = Float64Array.from(runs.flat(), (run) => run ?? 0);
  const values = seeds.map((_, seed) => {
    if (forms === null) return sum(runs.map((row, cell) => weights[cell]! * row[seed]!));
    return dot(flat, forms[seed]!);
  });
  const mean = sum(values) / seeds.length;
  return {
    seeds,
    values,
    filled: runs.flat().filter((run) => run === null).length,
    mean,
    spread: spreadOf(values, mean, weights, forms),
  };
}

/** Of a seed's contrast: what each run counts in it, cell by cell; 0 for missing runs. */
type Form = Float64Array;

/** Shares of the spread below this are rounding of floats. */
const ROUNDING = 1e-9;

function spreadOf(
  values: readonly number[],
  mean: number,
  weights: readonly number[],
  forms: readonly Form[] | null,
): SeedContrasts['spread'] {
  const n = values.length;
  if (n < 2) return null;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  const size = sum(weights.map((weight) => weight ** 2));
  if (forms === null) {
    const std = Math.sqrt(squares / (n - 1));
    return { std, standardError: std / Math.sqrt(n), degrees: n - 1 };
  }
  // Covariances of the seeds' contrasts for errors of variance 1: of themselves, and of their deviations from the mean.
  const covariances = forms.map(() => new Array<number>(n).fill(0));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) covariances[i]![j] = covariances[j]![i] = dot(forms[i]!, forms[j]!);
  }
  const rowMeans = covariances.map((row) => sum(row) / n);
  const ofMean = sum(rowMeans) / n;
  const deviations = covariances.map((row, i) => row.map((value, j) => value - rowMeans[i]! - rowMeans[j]! + ofMean));
  const trace = sum(deviations.map((row, i) => row[i]!));
  if (trace <= ROUNDING * size) return null;
  const perError = squares / trace;
  return {
    std: Math.sqrt(perError * size),
    standardError: Math.sqrt(perError * ofMean),
    degrees: trace ** 2 / sum(deviations.flat().map((value) => value ** 2)),
  };
}

/**
 * Each seed's contrast as a weighted sum of the runs there are.
 *
 * The fitted value of a missing run is the mean of its cell's runs, less the mean of their seeds' effects, plus its own
 * seed's effect. Seeds' effects solve the normal equations that are left when the cells are eliminated.
 */
function linearForms(runs: readonly (readonly (number | null)[])[], weights: readonly number[]): Form[] | null {
  const n = runs[0]!.length;
  const present = runs.map((row) => row.map((run) => run !== null));
  const counts = present.map((row) => row.filter(Boolean).length);
  const shares = present.map((row, cell) => row.map((is) => (is ? 1 / counts[cell]! : 0)));
  const equations = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_unused, j) =>
      sum(present.map((row, cell) => (row[i] ? (i === j ? 1 : 0) - shares[cell]![j]! : 0))),
    ),
  );
  const solve = groundedSolver(equations);
  if (solve === null) return null;
  return Array.from({ length: n }, (_, seed) => {
    const missing = weights.map((weight, cell) => (present[cell]![seed] ? 0 : weight));
    const side = Array.from({ length: n }, (_unused, j) =>
      sum(missing.map((weight, cell) => weight * ((j === seed ? 1 : 0) - shares[cell]![j]!))),
    );
    const effects = solve(side);
    const form = new Float64Array(present.length * n);
    present.forEach((row, cell) => {
      const ofCell = missing[cell]! / counts[cell]! - dot(effects, shares[cell]!);
      for (let j = 0; j < n; j++) if (row[j]) form[cell * n + j] = effects[j]! + ofCell;
      if (row[seed]) form[cell * n + seed]! += weights[cell]!;
    });
    return form;
  });
}

/**
 * Solves equations that leave one constant free, by Cholesky's decomposition with the first unknown held at 0.
 *
 * @returns null if the equations leave more free: the runs form several sets that share neither cell nor seed.
 */
function groundedSolver(equations: readonly (readonly number[])[]): ((side: readonly number[]) => number[]) | null {
  const size = equations.length - 1;
  const lower: number[][] = [];
  for (let i = 0; i < size; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      const rest = equations[i + 1]![j + 1]! - sum(row.slice(0, j).map((value, k) => value * (lower[j] ?? row)[k]!));
      if (i === j && rest <= ROUNDING) return null;
      row.push(i === j ? Math.sqrt(rest) : rest / lower[j]![j]!);
    }
    lower.push(row);
  }
  return (side) => {
    const forward: number[] = [];
    for (let i = 0; i < size; i++) forward.push((side[i + 1]! - dot(forward, lower[i]!)) / lower[i]![i]!);
    const back = new Array<number>(size).fill(0);
    for (let i = size - 1; i >= 0; i--) {
      let rest = forward[i]!;
      for (let k = i + 1; k < size; k++) rest -= lower[k]![i]! * back[k]!;
      back[i] = rest / lower[i]![i]!;
    }
    return [0, ...back];
  };
}

/** Over the length of the first. */
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
