/** Variance components and the tests of Friedman and Nemenyi against statsmodels and SciPy. components.py writes the fixture. */
import { stream } from '../../src/common/random.js';
import { friedmanTest } from '../../src/statistics/friedman.js';
import { componentsOf, pooled, squaresOf } from '../../src/statistics/variance-components.js';
import { readFixture } from './fixture.js';

interface Fixture {
  components: {
    groups: number[][];
    squares: [number, number];
    degrees: [number, number];
    between: number;
    within: number;
  }[];
  friedman: { blocks: number[][]; statistic: number; p: number; behindBest: number[] }[];
}

const fixture = readFixture('components') as Fixture;

test.each(fixture.components)('the components of groups of unequal sizes are those of statsmodels', (each) => {
  const squares = squaresOf(each.groups);
  expect([squares.between.degrees, squares.within.degrees]).toEqual(each.degrees);
  expect(squares.between.squares).toBeCloseTo(each.squares[0], 8);
  expect(squares.within.squares).toBeCloseTo(each.squares[1], 8);
  const found = componentsOf(squares)!;
  expect(found.between).toBeCloseTo(each.between, 8);
  expect(found.within).toBeCloseTo(each.within, 8);
});

test("Friedman's statistic is SciPy's, ties included, and its p value counts every order", () => {
  for (const { blocks, statistic, p } of fixture.friedman) {
    const found = friedmanTest(blocks, stream(0, 'test'))!;
    expect(found.statistic).toBeCloseTo(statistic, 10);
    expect(found.p).toBeCloseTo(p, 10);
  }
});

test("Nemenyi's p values count the orders in which any two treatments are as far apart", () => {
  for (const { blocks, behindBest } of fixture.friedman) {
    const found = friedmanTest(blocks, stream(0, 'test'))!;
    expect(found.behindBest).toEqual(behindBest.map((p) => expect.closeTo(p, 10) as number));
  }
});

test("Friedman's p value is drawn if there are too many orders, and is near the counted one", () => {
  // Three blocks with one order of six treatments: p is (1/720)² exactly.
  const equal = Array.from({ length: 3 }, () => [1, 2, 3, 4, 5, 6]);
  expect(friedmanTest(equal, stream(0, 'test'))!.p).toBeLessThan(1e-3);
  const opposed = [
    [1, 2, 3, 4, 5, 6],
    [6, 5, 4, 3, 2, 1],
    [1, 6, 2, 5, 3, 4],
  ];
  expect(friedmanTest(opposed, stream(0, 'test'))!.p).toBeGreaterThan(0.5);
});

test("Friedman's test is none if all treatments are equal in every block", () => {
  expect(
    friedmanTest(
      [
        [1, 1],
        [2, 2],
      ],
      stream(0, 'test'),
    ),
  ).toBeNull();
});

test('components of several samples are pooled, whatever their means', () => {
  const [first] = fixture.components;
  const shifted = first!.groups.map((group) => group.map((value) => value + 1000));
  const both = componentsOf(pooled([squaresOf(first!.groups), squaresOf(shifted)]))!;
  expect(both.between).toBeCloseTo(first!.between, 6);
  expect(both.within).toBeCloseTo(first!.within, 6);
});

test('there are no components without repeats, or with one group', () => {
  expect(componentsOf(squaresOf([[1], [2]]))).toBeNull();
  expect(componentsOf(squaresOf([[1, 2, 3]]))).toBeNull();
  expect(componentsOf(squaresOf([]))).toBeNull();
});
