/** Differences between two sides against SciPy's t tests. The fixture is made by compare.py. */
import { differenceOf, type Run } from '../../src/report/compare/difference.js';
import { readFixture } from './fixture.js';

interface Fixture {
  cases: {
    a: [seed: number, value: number][];
    b: [seed: number, value: number][];
    pairs: number;
    means: [number, number];
    difference: number;
    interval: [number, number];
    p: number;
  }[];
}

const { cases } = readFixture('compare') as Fixture;

const runs = (values: readonly [number, number][]): Run[] =>
  values.map(([seed, accuracy]) => ({ seed, accuracy, unhealthy: null }));

test.each(
  cases.map((each) => ({ seedsA: each.a.map(([seed]) => seed), seedsB: each.b.map(([seed]) => seed), ...each })),
)('seeds $seedsA against $seedsB', ({ a, b, pairs, means, difference, interval, p }) => {
  const found = differenceOf(runs(a), runs(b));
  expect(found.pairs).toBe(pairs);
  const numbers = [found.a.mean, found.b.mean, found.mean, ...(found.interval ?? []), found.p];
  expect(numbers).toHaveLength(6);
  [...means, difference, ...interval, p].forEach((value, i) => {
    expect(numbers[i]).toBeCloseTo(value, 9);
  });
});
