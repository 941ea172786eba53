/** Small statistics: means over seeds, ranks with ties, rank correlation. Pure; independent of results. */
import { sum } from '../common/sums.js';

export interface Summary {
  /** null without values. */
  mean: number | null;
  /** Sample standard deviation (divides by n − 1); null below two values. */
  std: number | null;
  n: number;
}

export function summaryStatistics(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) return { mean: null, std: null, n };
  const mean = sum(values) / n;
  if (n === 1) return { mean, std: null, n };
  return { mean, std: Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1)), n };
}

/** The rank of each value, 1 for the largest; equal values share the mean of their places. */
export function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const above = values.filter((other) => other > value).length;
    const equal = values.filter((other) => other === value).length;
    return above + (equal + 1) / 2;
  });
}

/**
 * Spearman's rank correlation of paired values: Pearson's correlation of their ranks, so that ties count rightly.
 *
 * @returns in [−1, 1]; null for fewer than three pairs, or if all values of a side are equal.
 */
export function spearman(pairs: readonly (readonly [number, number])[]): number | null {
  if (pairs.length < 3) return null;
  const [a, b] = [centred(pairs.map(([x]) => x)), centred(pairs.map(([, y]) => y))];
  const norm = Math.sqrt(dot(a, a) * dot(b, b));
  return norm === 0 ? null : dot(a, b) / norm;
}

function centred(values: readonly number[]): number[] {
  const own = ranks(values);
  const middle = sum(own) / own.length;
  return own.map((rank) => rank - middle);
}

const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * b[i]!));

/**
 * Kendall's rank correlation τ-b of paired values: pairs in like order less pairs in unlike order, ties accounted for.
 *
 * @returns in [−1, 1]; null for fewer than three pairs, or if all values of a side are equal.
 */
export function kendall(pairs: readonly (readonly [number, number])[]): number | null {
  if (pairs.length < 3) return null;
  const orders = pairs.flatMap(([x, y], i) =>
    pairs.slice(0, i).map(([otherX, otherY]) => [Math.sign(x - otherX), Math.sign(y - otherY)] as const),
  );
  const untied = (side: 0 | 1): number => orders.filter((order) => order[side] !== 0).length;
  const norm = Math.sqrt(untied(0) * untied(1));
  return norm === 0 ? null : sum(orders.map(([a, b]) => a * b)) / norm;
}

/** `= 0.012` */
export const describeP = (p: number): string => (p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`);
