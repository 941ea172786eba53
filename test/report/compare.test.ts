import { writeJson } from '../../src/store/files.js';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { compareSides, type CompareOptions } from '../../src/cli/compare-sides.js';
import { compare } from '../../src/report/compare/compare.js';
import { differenceOf } from '../../src/report/compare/difference.js';
import { sweepPaths } from '../../src/store/layout.js';
import { keepPlan, planPath } from '../../src/store/plans.js';
import { planOf, resultOf, temporaryFolder } from '../runner/support.js';
import { accuracies, collect, pick, resultsMaker, type NumbersOf } from './support.js';
import { metric } from '../support/entries.js';

const results = resultsMaker();
const root = temporaryFolder();

const spec = (objectives: string, job = '{}', seeds = '0, 1, 2'): string =>
  `job: ${job}\ngrid: {objective: [${objectives}], seed: [${seeds}]}`;

const comparisonOf = (a: string, b: string, left: NumbersOf, right: NumbersOf = left) =>
  compare(collect([results(a, left)]), collect([results(b, right)]), metric('finetune'));

const SOME = accuracies({ scratch: [40, 42, 44], masked: [50, 51, 52], blurred: [45, 45, 45] });

describe('a key that changed', () => {
  const { keys, cells, only } = comparisonOf(
    spec('scratch, masked', '{pretrain: {epochs: 10}}'),
    spec('scratch, masked', '{pretrain: {epochs: 30}}'),
    SOME,
    accuracies({ scratch: [40, 42, 44], masked: [53, 55, 54] }),
  );

  test('is named with its values on both sides, and nothing else is', () => {
    expect(pick(keys, 'key', 'a', 'b')).toEqual([['pretrain.epochs', '10', '30']]);
  });

  test('changes the cells that have it, by the mean of the differences of their seeds', () => {
    expect(pick(cells, 'objective', 'changed', 'a', 'b', 'difference', 'pairs')).toEqual([
      ['scratch', '', 42, 42, 0, 3],
      ['masked', 'pretrain.epochs', 51, 54, 3, 3],
    ]);
    // The differences are 3, 4 and 2: a mean of 3, a standard deviation of 1, and t = 4.3027 with two degrees.
    const [scratch, masked] = pick(cells, 'ci_low', 'ci_high', 'p', 'p_adjusted');
    expect(scratch).toEqual([null, null, null, null]);
    expect(masked![0]).toBeCloseTo(3 - 4.302653 / Math.sqrt(3), 5);
    expect(masked![1]).toBeCloseTo(3 + 4.302653 / Math.sqrt(3), 5);
    expect(masked![3]).toBe(masked![2]);
  });

  test('leaves no cell to one side', () => {
    expect(only.rows).toEqual([]);
  });
});

test('p values are adjusted for all cells that are tested', () => {
  const { cells } = comparisonOf(
    spec('masked, blurred', '{pretrain: {epochs: 10}}'),
    spec('masked, blurred', '{pretrain: {epochs: 30}}'),
    SOME,
    accuracies({ masked: [53, 55, 54], blurred: [46, 45, 47] }),
  );
  const [masked, blurred] = pick(cells, 'p', 'p_adjusted') as [number, number][];
  expect(masked![1]).toBeCloseTo(2 * masked![0], 12);
  expect(blurred![1]).toBeCloseTo(blurred![0], 12);
});

test('a cell that only one side has is said to be there, with its mean', () => {
  const { cells, only } = comparisonOf(spec('scratch, masked'), spec('scratch, blurred'), SOME);
  expect(pick(cells, 'objective')).toEqual([['scratch']]);
  expect(pick(only, 'side', 'objective', 'mean', 'n')).toEqual([
    ['A', 'masked', 51, 3],
    ['B', 'blurred', 45, 3],
  ]);
});

test('cells are matched by what varies among those of their objective', () => {
  const grid = (epochs: string, batchSize: number): string =>
    `job: {pretrain: {batchSize: ${batchSize}}}\ngrid: {objective: [masked], pretrain.epochs: [${epochs}], seed: [0, 1]}`;
  const { cells, only } = comparisonOf(grid('10, 20', 64), grid('20, 30', 128), SOME);
  expect(pick(cells, 'setting', 'changed')).toEqual([['pretrain.epochs=20', 'pretrain.batchSize']]);
  expect(pick(only, 'side', 'setting')).toEqual([
    ['A', 'pretrain.epochs=10'],
    ['B', 'pretrain.epochs=30'],
  ]);
});

test('a strength that changed is a change, though objectives have different ones', () => {
  const fraction = (value: number): string =>
    spec('zoomed-in, masked', `{degradation: {zoomedIn: {fraction: ${value}}}}`);
  const { cells } = comparisonOf(fraction(0.5), fraction(0.6), () => ({}));
  expect(pick(cells, 'objective', 'changed')).toEqual([
    ['zoomed-in', 'degradation.zoomedIn.fraction'],
    ['masked', ''],
  ]);
});

test('seeds that only one side has are named; a cell without a shared seed is compared unpaired', () => {
  const { cells } = comparisonOf(spec('masked', '{}', '0, 1'), spec('masked', '{}', '2'), SOME);
  expect(pick(cells, 'pairs', 'a', 'b', 'difference', 'seeds_a', 'seeds_b')).toEqual([[0, 50.5, 52, 1.5, '0, 1', '2']]);
});

test('one shared seed is paired if neither side has another, without an interval', () => {
  const runs = (values: [number, number][]) => values.map(([seed, accuracy]) => ({ seed, accuracy, unhealthy: null }));
  expect(differenceOf(runs([[0, 40]]), runs([[0, 43]]))).toMatchObject({ pairs: 1, mean: 3, interval: null, p: null });
  expect(differenceOf(runs([]), runs([[0, 43]]))).toMatchObject({ pairs: 0, mean: null, interval: null, p: null });
});

test('missing results are counted, and so are runs whose training did not work, which no mean has', () => {
  const { cells, missing, unhealthy } = comparisonOf(spec('scratch'), spec('scratch'), SOME, (_objective, seed) => {
    if (seed === 0) return null;
    return { accuracy: 50, loss: seed === 1 ? 9 : 0.5 };
  });
  expect([missing, unhealthy]).toEqual([1, 1]);
  expect(pick(cells, 'n_a', 'n_b', 'planned_b', 'unhealthy', 'b')).toEqual([[3, 1, 3, 1, 50]]);
});

describe('the command', () => {
  /** What it prints, and its exit code. */
  function told(a: string, b: string, options: CompareOptions = {}): { code: number; text: string } {
    let text = '';
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (chunk: string) => (text += chunk) !== '';
    try {
      return { code: compareSides(a, b, options), text };
    } finally {
      process.stdout.write = write;
    }
  }

  /** A folder with two plans, of which the first has ten epochs and the second thirty. */
  const folder = join(root, 'two-plans');
  const paths = sweepPaths(folder);
  const ids = [10, 30].map((epochs, day) => {
    const plan = planOf(spec('masked', `{pretrain: {epochs: ${epochs}}}`));
    for (const { id, config } of plan.stages) {
      writeJson(paths.stage(id).result, resultOf(config.kind, { accuracy: epochs + config.seed ** 2 * (1 + day) }));
    }
    return keepPlan(paths, plan, new Date(Date.UTC(2026, 0, 1 + day)));
  });

  test('compares the plan of a file with the newest of a folder, and prints which they are', () => {
    const { code, text } = told(planPath(paths, ids[0]!), folder);
    expect(code).toBe(0);
    expect(text).toContain(
      `A: sweep in ${folder}, plan ${ids[0]!}, 3 jobs\nB: sweep in ${folder}, plan ${ids[1]!}, 3 jobs`,
    );
    expect(text).toMatch(/pretrain\.epochs +10 +30/);
    // Means of 10, 11 and 14, and of 30, 32 and 38.
    expect(text).toMatch(/masked +0\.75 +11\.67 +33\.33 +21\.67/);
  });

  test('writes complete Markdown and CSV files to --out', () => {
    const out = join(root, 'compared');
    told(planPath(paths, ids[0]!), folder, { out });
    expect(readFileSync(join(out, 'compare.md'), 'utf8')).toContain('| masked | 0.75 | 11.67 | 33.33 | 21.67 |');
    const [row] = parse<Record<string, string>>(readFileSync(join(out, 'tables', 'compare-cells.csv')), {
      columns: true,
    });
    expect(Number(row!.difference)).toBeCloseTo(65 / 3, 12);
    for (const name of ['keys', 'only']) expect(existsSync(join(out, 'tables', `compare-${name}.csv`))).toBe(true);
  });

  test('exits with 1 if results are missing, unless this is allowed', () => {
    const some = results(spec('masked'), accuracies({ masked: [50, 51] }));
    expect(told(some, folder).code).toBe(1);
    expect(told(some, folder, { allowMissing: true }).code).toBe(0);
  });

  test('refuses a file that is no plan, and sides without a common metric', () => {
    expect(() => told(join(paths.plans, '..', 'report.md'), folder)).toThrow('does not exist');
    expect(() => told(paths.stage(ids[0]!).result, folder)).toThrow();
    const knn = results('job: {evaluate: [knn]}\ngrid: {objective: [masked]}', () => ({}));
    expect(() => told(knn, folder)).toThrow('A is ranked by knn and B by finetune; choose one with --metric');
  });
});
