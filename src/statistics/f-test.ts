/** The F test that rows of a complete table differ: two-way analysis of variance, rows × seeds, without interaction. */
import { sum } from '../common/sums.js';
import { regularizedBeta } from './beta.js';

/** P(F ≥ f) with the given degrees of freedom. */
export function fTail(f: number, numerator: number, denominator: number): number {
  return regularizedBeta(denominator / (denominator + numerator * f), denominator / 2, numerator / 2);
}

/** Residuals below this share of the values are rounding of floats. */
const ROUNDING = 1e-9;

/**
 * Tests that all rows have one mean, apart from what each seed adds to all rows.
 *
 * @param rows At least two, each with a value of the same two seeds or more.
 * @returns the p value: 1 if all rows are equal, 0 if the rows differ and no residual is left.
 */
export function rowsTest(rows: readonly (readonly number[])[]): number {
  const [k, n] = [rows.length, rows[0]!.length];
  const rowMeans = rows.map(mean);
  const seedMeans = rows[0]!.map((_, seed) => mean(rows.map((row) => row[seed]!)));
  const grand = mean(rowMeans);
  const between = n * sum(rowMeans.map((own) => (own - grand) ** 2));
  const residual = sum(
    rows.flatMap((row, i) => row.map((value, seed) => (value - rowMeans[i]! - seedMeans[seed]! + grand) ** 2)),
  );
  const negligible = k * n * (ROUNDING * Math.max(1, ...rows.flat().map(Math.abs))) ** 2;
  if (between <= negligible) return 1;
  if (residual <= negligible) return 0;
  const [numerator, denominator] = [k - 1, (k - 1) * (n - 1)];
  return fTail(between / numerator / (residual / denominator), numerator, denominator);
}

const mean = (values: readonly number[]): number => sum(values) / values.length;
