/** Runs of plans in which results decide which stages are needed. */
import { join } from 'node:path';
import { CLEAR, COMPARED, leaveSeeds, objectiveOf, UNCLEAR } from '../decide/support.js';
import { brief, FakeWorkers, settled, temporaryFolder } from './support.js';
import { askerOf } from '../../src/decide/needs.js';
import type { RunEvent, RunSummary } from '../../src/runner/events.js';
import { describeStage } from '../../src/spec/describe.js';
import { describeEvent } from '../../src/runner/reporters/format.js';
import type { RunOptions } from '../../src/runner/run-options.js';
import { runPlan } from '../../src/runner/run-plan.js';
import { statusOf, workLeft } from '../../src/runner/status.js';
import { SweepClock } from '../../src/runner/sweep-clock.js';
import { shardPlan } from '../../src/spec/shard.js';
import type { Plan } from '../../src/spec/stages.js';
import { sweepPaths } from '../../src/store/layout.js';

const root = temporaryFolder();
let count = 0;
const newFolder = (): string => join(root, String(count++));

type Accuracy = (objective: string, seed: number) => number;

function start(folder: string, options: Partial<RunOptions> = {}) {
  const workers = new FakeWorkers(COMPARED);
  const events: RunEvent[] = [];
  const run = runPlan({
    plan: COMPARED,
    folder,
    jobs: 2,
    launch: workers.launch,
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
    needs: askerOf(COMPARED, sweepPaths(folder)),
    ...options,
  });
  return { workers, events, ended: settled(run, () => `still running: ${workers.names.join(', ')}`) };
}

const byName = new Map(COMPARED.stages.map((stage) => [describeStage(COMPARED, stage), stage]));

/** Lets every worker end with its accuracy, or fail by `fails`. */
async function finishAll(
  { workers, ended }: ReturnType<typeof start>,
  accuracy: Accuracy,
  fails: (name: string) => boolean = () => false,
): Promise<RunSummary> {
  const over = ended.then(() => true);
  const turn = () => new Promise<false>((resolve) => setImmediate(resolve, false));
  do {
    for (const name of workers.names) {
      const stage = byName.get(name)!;
      if (fails(name)) await workers.fail(name, 'the loss is not finite');
      else await workers.finish(name, { accuracy: accuracy(objectiveOf(COMPARED, stage), stage.config.seed) });
    }
  } while (!(await Promise.race([over, turn()])));
  return ended;
}

const seedsOf = (names: readonly string[]): number[] => [...new Set(names.map((name) => Number(name.at(-1))))].sort();

test('a sweep ends at the look that decides', async () => {
  const run = start(newFolder());
  const summary = await finishAll(run, CLEAR);
  expect(summary).toMatchObject({
    stages: 12,
    done: 6,
    open: 0,
    unneeded: 6,
    decidedBy: 'decided at 2 seeds',
    pending: 0,
    left: 0,
  });
  expect(seedsOf(run.workers.started)).toEqual([0, 1]);
  expect(describeEvent(run.events.at(-1)!).text).toContain('6 done, 6 not needed (decided at 2 seeds)');
});

test('it adds the seeds of each look that does not decide, up to the last one', async () => {
  const run = start(newFolder());
  const summary = await finishAll(run, UNCLEAR);
  expect(summary).toMatchObject({ stages: 12, done: 12, open: 0, unneeded: 0 });
  const extended = run.events.flatMap((event) => (event.type === 'plan-extended' ? [describeEvent(event).text] : []));
  expect(extended).toEqual([
    'needs the look at 2 seeds: 1 pretrain, 2 knn to run',
    'needs the look at 3 seeds: 1 pretrain, 2 knn to run',
  ]);
});

test('no stage of a look starts before the look before it is complete', async () => {
  const run = start(newFolder());
  await finishAll(run, UNCLEAR);
  const order = brief(run.events).filter((text) => /^(stage-done|stage-started)/.test(text));
  const first = order.findIndex((text) => text.startsWith('stage-started') && text.endsWith('seed 2'));
  const last = order.findLastIndex((text) => text.startsWith('stage-done') && /seed [01]$/.test(text));
  expect(first).toBeGreaterThan(last);
});

test('a sweep that continues later decides by the results of then', async () => {
  const folder = newFolder();
  await leaveSeeds(COMPARED, sweepPaths(folder), 2, UNCLEAR);
  const run = start(folder);
  expect(await finishAll(run, UNCLEAR)).toMatchObject({ hits: 6, done: 6 });
  expect(run.events.filter(({ type }) => type === 'stage-hit')).toHaveLength(6);
  expect(await start(folder).ended).toMatchObject({ hits: 12, done: 0, open: 0, unneeded: 0 });
});

test('a sweep whose verdicts are decided runs nothing', async () => {
  const folder = newFolder();
  await leaveSeeds(COMPARED, sweepPaths(folder), 2, CLEAR);
  expect(await start(folder).ended).toMatchObject({ hits: 6, done: 0, unneeded: 6, pending: 0 });
});

test('a stage that fails is no reason to wait, and is tried again by the next sweep before it decides', async () => {
  const folder = newFolder();
  const fails = (name: string): boolean => name === 'pretrain zoomed-in seed 1';
  const first = start(folder);
  const summary = await finishAll(first, CLEAR, fails);
  // The first look has one pair, the second two.
  expect(summary).toMatchObject({
    failed: [{ stage: { name: 'pretrain zoomed-in seed 1' } }],
    blocked: [{}],
    unneeded: 3,
  });
  expect(summary.decidedBy).toBe('decided at 3 seeds');
  const second = start(folder);
  expect(await finishAll(second, CLEAR)).toMatchObject({ done: 2, failed: [], unneeded: 3 });
  expect(second.workers.started).toEqual(['pretrain zoomed-in seed 1', 'knn zoomed-in seed 1']);
});

test('two sweeps in one folder share the stages of every look', async () => {
  const folder = newFolder();
  const runs = [start(folder, { jobs: 1, lookEvery: 0.01 }), start(folder, { jobs: 1, lookEvery: 0.01 })];
  const summaries = await Promise.all(runs.map((run) => finishAll(run, UNCLEAR)));
  const started = runs.flatMap(({ workers }) => workers.started);
  expect(started).toHaveLength(12);
  expect(new Set(started).size).toBe(12);
  expect(summaries.map(({ open, unneeded, pending }) => [open, unneeded, pending])).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

describe('a shard', () => {
  const part = (index: number): Plan => ({ ...COMPARED, stages: shardPlan(COMPARED, { index, count: 2 }).stages });

  test('has its part of the first look', () => {
    const seeds = [1, 2].map((index) => part(index).stages.filter(({ config }) => config.seed < 2).length);
    expect(seeds).toEqual([3, 3]);
  });

  test('ends at a look that waits for another shard, and continues when it has its results', async () => {
    const folder = newFolder();
    const own = { plan: part(1) };
    const first = await finishAll(start(folder, own), UNCLEAR);
    expect(first).toMatchObject({ done: 3, waitsFor: 'needs the look at 2 seeds' });
    expect(first.open).toBe(part(1).stages.length - 3);
    await finishAll(start(folder, { plan: part(2) }), UNCLEAR);
    const third = await finishAll(start(folder, own), UNCLEAR);
    expect(third.done).toBeGreaterThan(0);
  });
});

describe('the status', () => {
  test('tells stages that wait for a look from those that wait for a worker', async () => {
    const folder = newFolder();
    const counts = (): Record<string, number> => {
      const found: Record<string, number> = {};
      for (const { status } of statusOf(COMPARED, folder)) found[status] = (found[status] ?? 0) + 1;
      return found;
    };
    expect(counts()).toEqual({ pending: 6, open: 6 });
    await leaveSeeds(COMPARED, sweepPaths(folder), 2, CLEAR);
    expect(counts()).toEqual({ done: 6, unneeded: 6 });
    const decisions = statusOf(COMPARED, folder).flatMap(({ decision }) => decision ?? []);
    expect(new Set(decisions)).toEqual(new Set(['decided at 2 seeds']));
  });

  test('counts no work for stages that are not needed, and a lower bound if some may be', () => {
    const row = (status: 'done' | 'open' | 'unneeded') => ({
      stage: { id: 'x', kind: 'knn' as const, entry: 'knn', name: 'x' },
      status,
      state:
        status === 'done'
          ? {
              status: 'done' as const,
              attempt: 1,
              pid: 1,
              host: 'h',
              startedAt: '2026-01-01T00:00:00.000Z',
              endedAt: '2026-01-01T00:00:05.000Z',
              cause: null,
              reason: null,
            }
          : null,
      damage: null,
      decision: null,
      progress: null,
    });
    expect(workLeft([row('done'), row('unneeded')])).toEqual({ seconds: 0, atLeast: false });
    expect(workLeft([row('done'), row('open')])).toEqual({ seconds: 0, atLeast: true });
  });
});

test('the clock counts the stages of a look when they are wanted', () => {
  const clock = new SweepClock();
  const toRun = { knn: 2 };
  clock.observe({ type: 'plan-started', name: 'x', folder: 'x', stages: 6, hits: 0, toRun, jobs: 1 }, 0);
  clock.observe({ type: 'plan-extended', toRun, why: 'needs the look at 2 seeds' }, 0);
  expect(clock.total).toBe(4);
});
