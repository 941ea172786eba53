/** Error rates of looks, against draws of their own and bounds that need none. */
import { stream } from '../../src/common/random.js';
import { errorRates } from '../../src/statistics/repeated.js';
import { studentTail } from '../../src/statistics/student.js';
import { summaryStatistics } from '../../src/statistics/summary.js';

/** The share of sequences of which some look's p value is at most its rate, from values drawn one by one. */
function errorOf(looks: readonly number[], rates: readonly number[], sequences: number): number {
  const random = stream(1, 'values drawn one by one');
  let wrong = 0;
  for (let i = 0; i < sequences; i++) {
    const values = Array.from({ length: looks.at(-1)! }, () => random.normal());
    const missed = looks.some((n, look) => {
      const { mean, std } = summaryStatistics(values.slice(0, n));
      return studentTail((mean! / std!) * Math.sqrt(n), n - 1) <= rates[look]!;
    });
    wrong += Number(missed);
  }
  return wrong / sequences;
}

test.each([
  { looks: [3, 5, 8, 12], total: 0.05 },
  { looks: [2, 3, 4, 5, 6], total: 0.1 },
])('all looks $looks together have the error rate $total', ({ looks, total }) => {
  // The standard error of 20,000 sequences is at most .002.
  expect(Math.abs(errorOf(looks, errorRates(looks, total), 20_000) - total)).toBeLessThan(0.007);
});

test('rates are proportional to the number of values, and together at least the whole', () => {
  const rates = errorRates([3, 5, 8, 12], 0.01);
  expect(rates.map((rate) => rate / rates[3]!)).toEqual(
    [3 / 12, 5 / 12, 8 / 12, 1].map((share) => expect.closeTo(share, 12) as number),
  );
  expect(rates.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(0.01);
  expect(Math.max(...rates)).toBeLessThan(0.01);
});

test('one look has the whole error rate', () => {
  expect(errorRates([12], 0.05)).toEqual([0.05]);
});

test('an error rate too small to simulate is divided over the looks', () => {
  const total = 1e-5;
  expect(errorRates([3, 5, 8, 12], total).reduce((a, b) => a + b)).toBeCloseTo(total, 12);
});
