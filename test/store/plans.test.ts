import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from '../../src/store/files.js';
import { sweepPaths, type SweepPaths } from '../../src/store/layout.js';
import { choosePlans, describeRest, keepPlan, listPlans, planId, planPath, readPlans } from '../../src/store/plans.js';
import { planOf, temporaryFolder } from '../runner/support.js';

const root = temporaryFolder();
let count = 0;
const newFolder = (): SweepPaths => sweepPaths(join(root, String(count++)));

const seeds = (list: string): ReturnType<typeof planOf> => planOf(`grid: {objective: [masked], seed: [${list}]}`);
const at = (day: number): Date => new Date(Date.UTC(2026, 0, day));

test('a plan is kept under a name that its content decides, and once', () => {
  const paths = newFolder();
  const id = keepPlan(paths, seeds('0'), at(1));
  expect(keepPlan(paths, seeds('0'), at(2))).toBe(id);
  expect(readdirSync(paths.plans)).toEqual([`${id}.json`]);
  expect(listPlans(paths)).toEqual({
    plans: [{ id, startedAt: at(2).toISOString(), path: planPath(paths, id), plan: seeds('0') }],
    damaged: [],
  });
});

test('a description and the place of the data do not make another plan; a cell does', () => {
  const plan = seeds('0');
  expect(planId({ ...plan, description: 'Words.' })).toBe(planId(plan));
  expect(planId(seeds('0, 1'))).not.toBe(planId(plan));
  expect(planId({ ...plan, metrics: { finetune: 'top5' } })).not.toBe(planId(plan));
});

test('another plan replaces none, and the one that started last is the newest', () => {
  const paths = newFolder();
  const first = keepPlan(paths, seeds('0'), at(1));
  const second = keepPlan(paths, seeds('1'), at(2));
  expect(readPlans(paths).plans.map(({ id }) => id)).toEqual([second, first]);
  keepPlan(paths, seeds('0'), at(3));
  expect(readPlans(paths).plans.map(({ id }) => id)).toEqual([first, second]);
});

test('the plan.json of an earlier version is the oldest plan, until it is kept again', () => {
  const paths = newFolder();
  writeJson(paths.plan, seeds('0'));
  expect(choosePlans(paths, 'newest').chosen).toMatchObject([{ id: planId(seeds('0')), startedAt: null }]);
  keepPlan(paths, seeds('1'), at(1));
  expect(readPlans(paths).plans.map(({ path }) => path)).toEqual([planPath(paths, planId(seeds('1'))), paths.plan]);
  keepPlan(paths, seeds('0'), at(2));
  expect(existsSync(paths.plan)).toBe(false);
  expect(readPlans(paths).plans.map(({ id }) => id)).toEqual([planId(seeds('0')), planId(seeds('1'))]);
});

describe('a command', () => {
  const paths = newFolder();
  const [old, newest] = [keepPlan(paths, seeds('0, 1'), at(1)), keepPlan(paths, seeds('1, 2'), at(2))];

  test('takes the newest plan, and counts what others contain beyond it', () => {
    const { plan, rest } = choosePlans(paths, 'newest');
    expect(plan).toEqual(seeds('1, 2'));
    expect(rest).toEqual({ plans: 1, stages: 2, cells: 1 });
    expect(describeRest(rest, 'results/x')).toBe(
      'Not included: 2 stages (1 cell) of 1 other plan in results/x. Include them with --all, or choose a plan with ' +
        '--plan; vitmim status lists the plans',
    );
  });

  test('takes the plan whose identity begins as asked', () => {
    expect(choosePlans(paths, { id: old.slice(0, 6) }).chosen.map(({ id }) => id)).toEqual([old]);
    for (const id of ['', 'xyz']) expect(() => choosePlans(paths, { id })).toThrow(`its plans are ${newest}, ${old}`);
  });

  test('takes the union of all, and leaves nothing out', () => {
    const { plan, rest } = choosePlans(paths, 'all');
    expect(plan.jobs.map(({ seed }) => seed)).toEqual([0, 1, 2]);
    expect(describeRest(rest, paths.folder)).toBeNull();
  });
});

describe('a damaged plan', () => {
  test.each([
    ['half a file', (text: string) => text.slice(0, text.length / 2)],
    ['another version', () => '{"startedAt":"2026-01-01T00:00:00.000Z","plan":{"version":1}}'],
    ['the content of another plan', (text: string) => text.replace('"seed": 0', '"seed": 7')],
  ])('is named and counts as missing: %s', (_what, change) => {
    const paths = newFolder();
    const id = keepPlan(paths, seeds('0'), at(2));
    const path = planPath(paths, id);
    writeFileSync(path, change(`${JSON.stringify({ startedAt: at(2).toISOString(), plan: seeds('0') }, null, 2)}\n`));
    expect(() => readPlans(paths)).toThrow(/run the sweep again: it writes the plan anew/);
    const other = keepPlan(paths, seeds('1'), at(1));
    expect(readPlans(paths)).toMatchObject({ plans: [{ id: other }], damaged: [{ id, path }] });
  });
});
