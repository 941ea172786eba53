/** Tails, corrections, rank tests and fits with missing runs against SciPy's. statistics.py writes the fixture. */
import { stream } from '../../src/common/random.js';
import { contrastOverSeeds } from '../../src/statistics/cells-and-seeds.js';
import { fTail, rowsTest } from '../../src/statistics/f-test.js';
import { holm } from '../../src/statistics/holm.js';
import { intervalAround } from '../../src/statistics/interval.js';
import { rankTest } from '../../src/statistics/rank-test.js';
import { centralStudent, studentTail } from '../../src/statistics/student.js';
import { readFixture } from './fixture.js';

interface Fixture {
  student: { t: number; degrees: number; p: number; t95: number }[];
  f: { f: number; numerator: number; denominator: number; p: number }[];
  holm: { ps: number[]; adjusted: number[] };
  rankTests: { pairs: [number, number][]; spearman: number; kendall: number }[];
  rowsTests: { rows: number[][]; p: number }[];
  missing: {
    runs: (number | null)[][];
    weights: number[];
    mean: number;
    contrasts: number[];
    std: number;
    standardError: number;
    degrees: number;
    interval: [number, number];
    p: number;
  }[];
}

const fixture = readFixture('statistics') as Fixture;

test.each(fixture.student)("Student's t of $degrees degrees: both tails of $t", ({ t, degrees, p, t95 }) => {
  expect(studentTail(t, degrees) / p).toBeCloseTo(1, 10);
  expect(studentTail(-t, degrees)).toBe(studentTail(t, degrees));
  expect(centralStudent(0.95, degrees) / t95).toBeCloseTo(1, 10);
});

test.each(fixture.f)('the upper tail of F at $f with $numerator and $denominator degrees', (each) => {
  expect(fTail(each.f, each.numerator, each.denominator) / each.p).toBeCloseTo(1, 10);
});

test("Holm's adjusted p values are those of statsmodels, with ties and in order", () => {
  holm(fixture.holm.ps).forEach((p, i) => {
    expect(p).toBeCloseTo(fixture.holm.adjusted[i]!, 12);
  });
});

test.each(fixture.rankTests.map((each) => ({ n: each.pairs.length, ...each })))(
  'the exact permutation test of $n pairs counts every permutation, with ties',
  ({ pairs, ...expected }) => {
    expect(rankTest(pairs, 'spearman', stream(0, 'test'))).toBeCloseTo(expected.spearman, 12);
    expect(rankTest(pairs, 'kendall', stream(0, 'test'))).toBeCloseTo(expected.kendall, 12);
  },
);

test.each(fixture.rowsTests)('the F test of rows, adjusted for seeds, has p = $p', ({ rows, p }) => {
  expect(rowsTest(rows)).toBeCloseTo(p, 10);
});

test.each(fixture.missing)(
  'a contrast with missing runs is that of least squares on cells and seeds, here $mean',
  ({ runs, weights, ...expected }) => {
    const found = contrastOverSeeds(
      runs.map((row, cell) => ({
        weight: weights[cell]!,
        values: new Map(row.flatMap((run, seed) => (run === null ? [] : [[seed, run] as const]))),
      })),
    )!;
    expect(found.mean).toBeCloseTo(expected.mean, 9);
    found.values.forEach((value, seed) => {
      expect(value).toBeCloseTo(expected.contrasts[seed]!, 9);
    });
    const { std, standardError, degrees } = found.spread!;
    expect(std).toBeCloseTo(expected.std, 9);
    expect(standardError).toBeCloseTo(expected.standardError, 9);
    expect(degrees).toBeCloseTo(expected.degrees, 9);
    intervalAround(found.mean, standardError, degrees).forEach((bound, i) => {
      expect(bound).toBeCloseTo(expected.interval[i]!, 7);
    });
    expect(studentTail(found.mean / standardError, degrees)).toBeCloseTo(expected.p, 10);
    expect(found.filled).toBe(runs.flat().filter((run) => run === null).length);
  },
);
