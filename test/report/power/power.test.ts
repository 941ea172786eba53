import { powerTables } from '../../../src/report/power/tables.js';
import { KEPT_SPREADS } from '../../../src/report/power/kept.js';
import { describeFewRuns, designOf, spreadOf, type Spread } from '../../../src/report/power/spread.js';
import { describeLacks, spreadsOf } from '../../../src/report/power/collect.js';
import { describeSeedsToDecide, seedsToDecide } from '../../../src/report/power/deciding.js';
import { describeResolution, resolutionOf, type SpreadSource } from '../../../src/report/power/resolution.js';
import { halfWidth, MOST_SEEDS, powerOf, seedsNeeded } from '../../../src/statistics/power.js';
import { planOf } from '../../runner/support.js';
import { keptCells } from '../kept.js';
import { accuracies, collect, pick, resultsMaker } from '../support.js';

const everyPair = () => true;
const kept = (metric: string): Spread =>
  spreadOf({ cells: keptCells(`${metric}_accuracy`), compared: everyPair }) as Spread;
const goal = (difference: number) => ({ difference, alpha: 0.05, power: 0.8 });

describe('the kept factorial', () => {
  test.each([
    // By statsmodels (TTestPower) and SciPy.
    ['finetune', 1.54, 2.08, 36, 11, 5.158],
    ['linear', 0.96, 1.21, 14, 6, 2.998],
  ])('by %s needs the seeds that were computed for it', (metric, seed, difference, one, two, resolved) => {
    const spread = kept(metric);
    expect(spread.seedStd).toBeCloseTo(seed, 2);
    expect(spread.differenceStd).toBeCloseTo(difference, 2);
    const design = designOf(spread);
    expect(design.pairing).toBe('paired');
    expect([1, 2].map((points) => seedsNeeded(design, goal(points)))).toEqual([one, two]);
    expect(halfWidth(design, 3, 0.05)).toBeCloseTo(resolved, 1);
  });

  test.each([...KEPT_SPREADS])('has the spread by %s that the program contains', (metric, { seedStd, ...rest }) => {
    const spread = kept(metric);
    expect(rest).toMatchObject({ cells: spread.cells, runs: spread.runs });
    expect(seedStd).toBeCloseTo(spread.seedStd, 5);
    expect(rest.differenceStd).toBeCloseTo(spread.differenceStd!, 5);
    expect(rest.correlation).toBeCloseTo(spread.correlation!, 5);
  });
});

describe('seeds', () => {
  const design = { pairing: 'paired', std: 1 } as const;

  test('are the fewest that reach the power', () => {
    const n = seedsNeeded(design, goal(0.5))!;
    expect(powerOf(design, n, goal(0.5))).toBeGreaterThanOrEqual(0.8);
    expect(powerOf(design, n - 1, goal(0.5))).toBeLessThan(0.8);
  });

  test('are two for an effect without comparison, and too many for none', () => {
    expect(seedsNeeded(design, goal(1e6))).toBe(2);
    expect(seedsNeeded(design, goal(0))).toBeNull();
  });

  test('do not depend on the sign of the difference', () => {
    expect(seedsNeeded(design, goal(-0.7))).toBe(seedsNeeded(design, goal(0.7)));
  });
});

describe('the spread', () => {
  test('of one seed in each cell is not known', () => {
    const cells = [new Map([[0, 10]]), new Map([[0, 12]])];
    expect(spreadOf({ cells, compared: everyPair })).toBe('one seed');
    expect(spreadOf({ cells: [], compared: everyPair })).toBe('no results');
  });

  test('of seeds that agree to the last digit is not known', () => {
    const cells = [new Map([[0, 0.1 + 0.2], [1, 0.3]])]; // oxfmt-ignore
    expect(spreadOf({ cells, compared: everyPair })).toBe('equal seeds');
  });

  test('of a single cell is that of its seeds, and comparisons are unpaired', () => {
    const spread = spreadOf({ cells: [new Map([[0, 10], [1, 12], [2, 14]])], compared: everyPair }) as Spread; // oxfmt-ignore
    expect(spread).toEqual({ cells: 1, runs: 3, seedStd: 2, differenceStd: null, correlation: null });
    expect(designOf(spread)).toEqual({ pairing: 'unpaired', std: 2 });
    expect(describeFewRuns(spread)).toBe('3 runs in 1 cell give the standard deviation to about ±50 %');
    expect(describeFewRuns(kept('linear'))).toBeNull();
  });
});

const results = resultsMaker();
const grid = 'job: {evaluate: [finetune, knn]}\ngrid: {objective: [scratch, masked], seed: [0, 1, 2]}';
const two = accuracies({ scratch: [10, 12, 14], masked: [21, 22, 26] });

describe('a results folder', () => {
  test('has the spread of each evaluation', () => {
    // Variances 4 and 7; differences 11, 10, 12 have 1: correlation 1 − 1/11.
    const { spreads, lacks } = spreadsOf(collect([results(grid, two)]));
    expect([...spreads.keys()]).toEqual(['finetune', 'knn']);
    expect(lacks.size).toBe(0);
    const { seedStd, differenceStd, correlation } = spreads.get('finetune')!;
    expect(seedStd ** 2).toBeCloseTo(5.5, 12);
    expect(differenceStd).toBeCloseTo(1, 12);
    expect(correlation).toBeCloseTo(10 / 11, 12);
  });

  test('says which evaluation has one seed, and which has no results', () => {
    const folder = results(grid, (objective, seed, config) =>
      config.kind === 'finetune' ? null : seed > 0 ? null : two(objective, seed, config),
    );
    const { spreads, lacks } = spreadsOf(collect([folder]));
    expect(spreads.size).toBe(0);
    expect(describeLacks(lacks)).toEqual([
      'finetune has no result that counts',
      'knn has one seed in each cell, and a spread needs two',
    ]);
  });
});

test('the tables have an interval for each number of seeds, and seeds for each difference', () => {
  const spreads = new Map<string, Spread>([
    ['finetune', kept('finetune')],
    ['knn', { cells: 1, runs: 3, seedStd: 2, differenceStd: null, correlation: null }],
  ]);
  const [spread, intervals, seeds] = powerTables(spreads, {
    seeds: [3, 4],
    differences: [1, 1e-5],
    alpha: 0.05,
    power: 0.8,
  });
  expect(pick(spread!, 'metric', 'unit', 'cells', 'runs', 'difference_std').map((row) => row.slice(0, 4))).toEqual([
    ['finetune', 'points', 9, 45],
    ['knn', 'points', 1, 3],
  ]);
  expect(spread!.caption).toContain('knn: 3 runs in 1 cell give the standard deviation to about ±50 %.');
  const [three] = pick(intervals!, 'seeds', 'finetune', 'knn');
  expect(three![0]).toBe(3);
  expect(three![1]).toBeCloseTo(5.158, 3); // 4.3027 · 2.07648 / √3
  expect(three![2]).toBeCloseTo(4.534, 3); // 2.7764 · 2 · √(2 / 3)
  expect(intervals!.caption).toContain('unpaired by knn');
  expect(pick(seeds!, 'difference', 'finetune', 'knn')).toEqual([
    [1, 36, 64],
    [1e-5, null, null],
  ]);
  expect(seeds!.caption).toContain(`Empty: more than 100,000.`);
  expect(MOST_SEEDS).toBe(100_000);
});

describe('the seeds of a plan', () => {
  const source: SpreadSource = { name: 'results/pilot', spreads: KEPT_SPREADS, foreign: true };
  const told = (yaml: string, from = source): string => describeResolution(resolutionOf(planOf(yaml), from)!);

  test('resolve what the spread of earlier results says, by name', () => {
    expect(told('job: {evaluate: [finetune, linear]}\ngrid: {objective: [scratch, masked], seed: [0, 1, 2]}')).toBe(
      '3 seeds resolve ±5.2 points (finetune), ±3.0 points (linear): half the 95 % interval of a ' +
        'difference of two cells. The spread is from results/pilot; another setting may vary more or less.',
    );
  });

  test('resolve nothing if there is one', () => {
    expect(told('grid: {objective: [scratch, masked]}')).toBe(
      '1 seed resolves nothing: a difference of two cells has an interval from 2 seeds on.',
    );
  });

  test('are a range if cells have different numbers of them', () => {
    const yaml = 'grid: {objective: [masked], seed: [0, 1, 2, 3, 4]}\ninclude: [{objective: scratch, seed: [0, 1]}]';
    expect(told(yaml)).toMatch(/^2 to 5 seeds resolve ±19 to ±2\.6 points \(finetune\)/);
  });

  test('say for which evaluation nothing is known, and that few runs are uncertain', () => {
    const spreads = new Map<string, Spread>([
      ['knn', { cells: 1, runs: 3, seedStd: 2, differenceStd: null, correlation: null }],
    ]);
    const yaml = 'job: {evaluate: [finetune, knn]}\ngrid: {objective: [scratch, masked], seed: [0, 1, 2]}';
    expect(told(yaml, { name: 'results/own', spreads, foreign: false })).toBe(
      '3 seeds resolve ±4.5 points (knn): half the 95 % interval of a difference of two cells. What finetune can resolve is ' +
        'not known: no earlier result has two seeds. The spread is from results/own (3 runs in 1 cell give the standard ' +
        'deviation to about ±50 %).',
    );
  });

  test('are not judged without an evaluation', () => {
    expect(resolutionOf(planOf('job: {evaluate: []}\ngrid: {objective: [masked]}'), source)).toBeNull();
  });
});

test('an effect that is not decided needs the seeds that its own spread asks for', () => {
  // statsmodels' TTestPower: 23.8.
  expect(seedsToDecide({ mean: -0.6, std: 1 }, 0.05)).toBe(24);
  expect(describeSeedsToDecide(24, 0.05, 1)).toBe(
    'An effect of this size would need about 24 seeds to be decided (with a probability of 80 %, at the level 0.05).',
  );
  expect(seedsToDecide({ mean: 0, std: 1 }, 0.05)).toBeNull();
  expect(describeSeedsToDecide(null, 0.05, 5)).toContain('more than 100,000 seeds');
});
