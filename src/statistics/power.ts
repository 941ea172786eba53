/**
 * What n seeds can decide: the power of Student's t test and the half-width of its interval, by the exact noncentral
 * distribution. The normal approximation promises up to two seeds too few (Cohen 1988, chapter 2).
 */
import { logGamma, regularizedBeta } from './beta.js';
import { centralStudent } from './student.js';

/** How two cells with n seeds each are compared. */
export interface Design {
  /** `paired`: the differences of equal seeds. `unpaired`: all seeds of both, with equal spread. */
  pairing: 'paired' | 'unpaired';
  /** Paired: standard deviation of a seed's difference. Unpaired: of a seed. */
  std: number;
}

/** A test at the level `alpha` that finds a true `difference` with probability `power`. */
export interface Goal {
  /** In the unit of the metric; the sign does not matter. */
  difference: number;
  /** In (0, 1), two-sided. */
  alpha: number;
  /** In (alpha, 1). */
  power: number;
}

/** The fewest seeds with a spread. */
export const FEWEST_SEEDS = 2;

/** Above so many seeds a number of seeds is no plan. */
export const MOST_SEEDS = 100_000;

/**
 * The half-width of the (1 − alpha) interval of the difference of two cells.
 *
 * @param n Seeds of each cell, at least 2.
 */
export function halfWidth(design: Design, n: number, alpha: number): number {
  return centralStudent(1 - alpha, degreesOf(design, n)) * standardError(design, n);
}

/**
 * The probability that the two-sided t test at `alpha` rejects a difference of zero if the difference is `difference`.
 *
 * @param n Seeds of each cell, at least 2.
 */
export function powerOf(design: Design, n: number, { difference, alpha }: Omit<Goal, 'power'>): number {
  const degrees = degreesOf(design, n);
  return noncentralTail(centralStudent(1 - alpha, degrees), degrees, difference / standardError(design, n));
}

/** The fewest seeds of each cell that reach the goal; null: more than {@link MOST_SEEDS}. */
export function seedsNeeded(design: Design, goal: Goal): number | null {
  const reaches = (n: number): boolean => powerOf(design, n, goal) >= goal.power;
  // Invariant: `below` seeds are too few. Power grows with the number of seeds.
  let below = FEWEST_SEEDS - 1;
  let enough = FEWEST_SEEDS;
  while (!reaches(enough)) {
    if (enough === MOST_SEEDS) return null;
    below = enough;
    enough = Math.min(MOST_SEEDS, 2 * enough);
  }
  while (enough - below > 1) {
    const middle = Math.floor((below + enough) / 2);
    if (reaches(middle)) enough = middle;
    else below = middle;
  }
  return enough;
}

const degreesOf = ({ pairing }: Design, n: number): number => (pairing === 'paired' ? n - 1 : 2 * (n - 1));

const standardError = ({ pairing, std }: Design, n: number): number =>
  std * Math.sqrt((pairing === 'paired' ? 1 : 2) / n);

/** Weights of the mixture below this change no digit. */
const NEGLIGIBLE = 1e-17;

/**
 * P(|T| ≥ t) for Student's t with a noncentrality. T² has the noncentral F distribution with 1 and `degrees` degrees of
 * freedom, which is a mixture of beta distributions with Poisson weights of mean noncentrality² / 2 (Johnson, Kotz and
 * Balakrishnan, Continuous Univariate Distributions 2, chapter 30).
 *
 * @param t Not negative.
 */
export function noncentralTail(t: number, degrees: number, noncentrality: number): number {
  const mean = noncentrality ** 2 / 2;
  // The F statistic of so large an effect exceeds every t; the mixture would have thousands of terms.
  if (mean > 1e6) return 1;
  const x = degrees / (degrees + t * t);
  const weight = (j: number): number =>
    mean === 0 ? (j === 0 ? 1 : 0) : Math.exp(j * Math.log(mean) - mean - logGamma(j + 1));
  const mode = Math.floor(mean);
  let total = 0;
  const addTerms = (from: number, step: 1 | -1): void => {
    for (let j = from; j >= 0; j += step) {
      const own = weight(j);
      if (!(own > NEGLIGIBLE)) return;
      total += own * regularizedBeta(x, degrees / 2, j + 0.5);
    }
  };
  addTerms(mode, -1);
  addTerms(mode + 1, 1);
  return Math.min(1, total);
}
