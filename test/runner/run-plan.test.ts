import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { chooseStages, stagesLeft } from '../../src/runner/choose-stages.js';
import type { RunEvent, RunSummary } from '../../src/runner/events.js';
import type { RunOptions } from '../../src/runner/run-options.js';
import { runPlan } from '../../src/runner/run-plan.js';
import type { Plan } from '../../src/spec/stages.js';
import { Claimant } from '../../src/store/claims.js';
import { readJson, writeFileAtomic, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { resultSchema, stageSchema, stateSchema, type StageResult } from '../../src/store/records.js';
import { brief, FakeWorkers, planOf, resultOf, settled, temporaryFolder } from './support.js';

const TWO = planOf('job: {evaluate: [finetune, knn]}\ngrid: {objective: [scratch, masked, zoomed-in]}');
const root = temporaryFolder();
let count = 0;

/** A run of the plan in a folder of its own, or in the given one. */
function start(plan: Plan, options: Partial<RunOptions> = {}) {
  const folder = options.folder ?? join(root, String(count++));
  const workers = new FakeWorkers(plan);
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const kill = new AbortController();
  const run = runPlan({
    plan,
    folder,
    jobs: 1,
    launch: workers.launch,
    onEvent: (event) => events.push(event),
    signal: stop.signal,
    killSignal: kill.signal,
    ...options,
  });
  const ended = settled(run, () => `the run does not end; still running: ${workers.names.join(', ')}`);
  const paths = sweepPaths(folder);
  const pathsOf = (name: string) => {
    const started = events.find((event) => event.type === 'stage-started' && event.stage.name === name);
    if (started?.type !== 'stage-started') throw new Error(`${name} was not started`);
    return paths.stage(started.stage.id);
  };
  return { folder, workers, events, stop, kill, ended, pathsOf };
}

async function finishAll(workers: FakeWorkers, ended: Promise<RunSummary>): Promise<RunSummary> {
  const over = ended.then(() => true);
  const turn = () => new Promise<false>((resolve) => setImmediate(resolve, false));
  do {
    for (const name of workers.names) await workers.finish(name);
  } while (!(await Promise.race([over, turn()])));
  return ended;
}

const state = (paths: { state: string }) => readJson(paths.state, stateSchema);

describe('order', () => {
  test('pre-trainings go first, then what hangs on nothing, in the order of the plan', async () => {
    const { workers, ended } = start(TWO);
    const summary = await finishAll(workers, ended);
    expect(workers.started).toEqual([
      'pretrain masked',
      'pretrain zoomed-in',
      'finetune scratch',
      'knn scratch',
      'finetune masked',
      'knn masked',
      'finetune zoomed-in',
      'knn zoomed-in',
    ]);
    expect(summary).toMatchObject({
      stages: 8,
      done: 8,
      hits: 0,
      failed: [],
      blocked: [],
      interrupted: [],
      pending: 0,
    });
  });

  test('every cell of a seed is complete before a stage of the next seed starts', async () => {
    const { workers, ended } = start(planOf('grid: {objective: [scratch, masked], seed: [5, 4]}'));
    await finishAll(workers, ended);
    expect(workers.started).toEqual([
      'pretrain masked seed 5',
      'finetune scratch seed 5',
      'finetune masked seed 5',
      'pretrain masked seed 4',
      'finetune scratch seed 4',
      'finetune masked seed 4',
    ]);
  });

  test('a later seed starts if nothing of an earlier one is ready, and no worker is idle', async () => {
    const { workers, ended } = start(planOf('grid: {objective: [masked], seed: [0, 1]}'), { jobs: 2 });
    await workers.when('pretrain masked seed 1');
    expect(workers.started).toEqual(['pretrain masked seed 0', 'pretrain masked seed 1']);
    await finishAll(workers, ended);
  });

  test('no more workers run at once than allowed', async () => {
    for (const jobs of [1, 3]) {
      const { workers, ended } = start(TWO, { jobs });
      await finishAll(workers, ended);
      expect(workers.most).toBe(jobs);
    }
  });

  test('a stage waits for its parent even while workers are idle', async () => {
    const { workers, ended } = start(planOf('grid: {objective: [masked], seed: [0, 1]}'), { jobs: 4 });
    await workers.when('pretrain masked seed 1');
    await workers.finish('pretrain masked seed 1');
    await workers.when('finetune masked seed 1');
    // The child of seed 0 is before it in the queue.
    expect(workers.started.slice(2)).toEqual(['finetune masked seed 1']);
    await finishAll(workers, ended);
    expect(workers.started.slice(3)).toEqual(['finetune masked seed 0']);
  });
});

test('the advice of several workers is reported once', async () => {
  const { workers, ended, events } = start(TWO, { jobs: 3 });
  await new Promise((resolve) => setImmediate(resolve));
  for (const name of workers.names) {
    workers.get(name).emit({ type: 'advice', message: 'no BLAS was found' });
    workers.get(name).emit({ type: 'advice', message: `something about ${name}` });
  }
  await finishAll(workers, ended);
  const advice = events.flatMap((event) => (event.type === 'advice' ? [event.message] : []));
  expect(advice.length).toBeGreaterThan(2);
  expect(advice).toEqual([...new Set(advice)]);
});

describe('files', () => {
  test('stage.json is there before the worker starts, and state.json follows the attempt', async () => {
    const plan = planOf('grid: {objective: [scratch]}');
    const { workers, ended, pathsOf } = start(plan);
    const { paths } = await workers.when('finetune scratch');
    expect(readJson(paths.stage, stageSchema)).toEqual(plan.stages[0]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(state(paths)).toMatchObject({ status: 'running', attempt: 1, pid: 4242, endedAt: null, reason: null });
    await workers.finish('finetune scratch');
    await ended;
    const after = state(pathsOf('finetune scratch'))!;
    expect(after).toMatchObject({ status: 'done', attempt: 1, reason: null });
    expect(Date.parse(after.endedAt!)).toBeGreaterThanOrEqual(Date.parse(after.startedAt));
  });
});

describe('a second run', () => {
  test('launches nothing when everything is done', async () => {
    const first = start(TWO);
    await finishAll(first.workers, first.ended);
    const second = start(TWO, { folder: first.folder });
    expect(await second.ended).toMatchObject({ stages: 8, done: 0, hits: 8, pending: 0 });
    expect(second.workers.started).toEqual([]);
    expect(second.events.filter((event) => event.type === 'stage-hit')).toHaveLength(8);
    expect(second.events[1]).toMatchObject({ type: 'stage-hit', why: 'done before' });
  });

  test('runs what failed again, with what it blocked, and says why', async () => {
    const plan = planOf('grid: {objective: [masked]}');
    const first = start(plan);
    await first.workers.fail('pretrain masked', 'NaN');
    await first.ended;
    const second = start(plan, { folder: first.folder });
    await finishAll(second.workers, second.ended);
    expect(second.events.filter((event) => event.type === 'stage-started')).toMatchObject([
      { stage: { kind: 'pretrain' }, why: 'failed (NaN)', attempt: 2 },
      { stage: { kind: 'finetune' }, why: 'new', attempt: 1 },
    ]);
    expect(state(second.pathsOf('pretrain masked'))).toMatchObject({ status: 'done', attempt: 2 });
  });

  test.each([
    [
      'a damaged result.json',
      (paths: Paths) => {
        writeFileSync(paths.result, '{"kind":');
      },
      'its result.json is damaged: it is not JSON, or is cut short',
    ],
    [
      'the result of another kind',
      (paths: Paths) => {
        writeJson(paths.result, resultOf('knn'));
      },
      'its result holds the numbers of a knn stage, not of finetune',
    ],
    [
      'the result of another stage of its kind',
      (paths: Paths) => {
        writeJson(paths.result, { ...resultOf('finetune'), stage: '0123456789abcdef' });
      },
      'its result belongs to stage 0123456789abcdef',
    ],
    [
      'an edited stage.json',
      (paths: Paths) => {
        edit(paths.stage);
      },
      'its result belongs to another or a damaged stage.json',
    ],
    [
      'no result.json',
      (paths: Paths) => {
        rmSync(paths.result);
      },
      'its result.json is gone',
    ],
  ])('does not take %s for a hit', async (_what, damage, why) => {
    const plan = planOf('grid: {objective: [scratch]}');
    const first = start(plan);
    await first.workers.finish('finetune scratch');
    await first.ended;
    damage(first.pathsOf('finetune scratch'));
    const second = start(plan, { folder: first.folder });
    await second.workers.finish('finetune scratch');
    expect(await second.ended).toMatchObject({ done: 1, hits: 0 });
    expect(second.events).toContainEqual(expect.objectContaining({ type: 'stage-started', why }));
  });

  test('pre-trains again if the weights are gone, but only if a stage needs them', async () => {
    const plan = planOf('grid: {objective: [masked]}');
    const first = start(plan);
    await finishAll(first.workers, first.ended);
    rmSync(first.pathsOf('pretrain masked').checkpoint);
    const second = start(plan, { folder: first.folder });
    expect(await second.ended).toMatchObject({ hits: 2, done: 0 });
    rmSync(first.pathsOf('finetune masked').result);
    const third = start(plan, { folder: first.folder });
    expect(await finishAll(third.workers, third.ended)).toMatchObject({ hits: 0, done: 2 });
  });
});

describe('the chain from a pre-training to its children', () => {
  const plan = planOf('job: {evaluate: [finetune, knn]}\ngrid: {objective: [masked, blurred]}');
  const why = (events: RunEvent[]) =>
    Object.fromEntries(
      events.flatMap((event) => (event.type === 'stage-started' ? [[event.stage.name, event.why]] : [])),
    );

  /** A folder in which the plan has run, and its files by the names of the stages. */
  async function finished() {
    const { workers, ended, folder, pathsOf } = start(plan);
    await finishAll(workers, ended);
    return { folder, pathsOf };
  }

  test('another checkpoint in place of a pre-training that a stage needs is found out, and made anew', async () => {
    const { folder, pathsOf } = await finished();
    copyFileSync(pathsOf('pretrain blurred').checkpoint, pathsOf('pretrain masked').checkpoint);
    rmSync(pathsOf('finetune masked').result);
    const { workers, ended, events } = start(plan, { folder });
    const summary = await finishAll(workers, ended);
    expect(why(events)).toEqual({
      'pretrain masked': expect.stringMatching(
        /^its checkpoint belongs to stage [0-9a-f]{16}, and a stage that is to run begins from it$/,
      ) as string,
      'finetune masked': 'its result.json is gone',
    });
    // It left the same checkpoint again, so what else began from it still holds.
    expect(summary).toMatchObject({ done: 2, hits: 4, pending: 0 });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'stage-found', why: 'done before, from the same checkpoint' }),
    );
  });

  test.each<[string, string, (paths: Paths) => void]>([
    [
      'damaged',
      'its checkpoint is damaged: it is cut short',
      ({ checkpoint }) => {
        truncateSync(checkpoint, 20);
      },
    ],
    [
      'not the one of the result',
      'its checkpoint is not the one that its result.json names',
      (paths) => {
        const result = readJson(paths.result, resultSchema)!;
        writeJson(paths.result, { ...result, checkpoint: 'another' });
        // So that the child fits the result, and only the checkpoint does not.
        for (const { id, parent } of plan.stages) {
          const child = join(paths.folder, '..', id, 'result.json');
          if (parent !== null && paths.folder.endsWith(parent) && existsSync(child)) {
            writeJson(child, { ...readJson(child, resultSchema)!, parent: { id: parent, sha256: 'another' } });
          }
        }
      },
    ],
  ])('a checkpoint that is %s is read only if a stage needs it', async (_what, reason, damage) => {
    const { folder, pathsOf } = await finished();
    damage(pathsOf('pretrain masked'));
    expect(await start(plan, { folder }).ended).toMatchObject({ hits: 6, done: 0 });
    rmSync(pathsOf('knn masked').result);
    const { workers, ended, events } = start(plan, { folder });
    await finishAll(workers, ended);
    expect(why(events)['pretrain masked']).toBe(`${reason}, and a stage that is to run begins from it`);
  });

  test('a stage runs again if its pre-training leaves another checkpoint', async () => {
    const { folder, pathsOf } = await finished();
    rmSync(pathsOf('pretrain masked').result);
    const { workers, ended, events } = start(plan, { folder });
    await workers.finish('pretrain masked', {}, 'another checkpoint');
    expect(await finishAll(workers, ended)).toMatchObject({ done: 3, hits: 3 });
    expect(why(events)).toMatchObject({
      'finetune masked': 'its pre-training runs again',
      'knn masked': 'its pre-training runs again',
    });
  });

  test.each<[string, string, (result: StageResult) => StageResult]>([
    [
      'another digest of the parent',
      'the checkpoint that it started from is no longer the checkpoint of its pre-training',
      (result) => ({ ...result, parent: { ...result.parent!, sha256: 'another' } }),
    ],
    [
      'another parent',
      'its result is of a stage that started from 0123456789abcdef',
      (result) => ({ ...result, parent: { ...result.parent!, id: '0123456789abcdef' } }),
    ],
    [
      'no parent',
      'its result does not say which checkpoint it started from',
      (result) => ({ ...result, parent: null }),
    ],
  ])('a result that names %s is none', async (_what, reason, change) => {
    const { folder, pathsOf } = await finished();
    const { result } = pathsOf('knn masked');
    writeJson(result, change(readJson(result, resultSchema)!));
    const { workers, ended, events } = start(plan, { folder });
    expect(await finishAll(workers, ended)).toMatchObject({ done: 1, hits: 5 });
    expect(why(events)).toEqual({ 'knn masked': reason });
  });

  test('a result of scratch that names a parent is none', async () => {
    const scratch = planOf('grid: {objective: [scratch]}');
    const first = start(scratch);
    await finishAll(first.workers, first.ended);
    const { result } = first.pathsOf('finetune scratch');
    writeJson(result, { ...readJson(result, resultSchema)!, parent: { id: '0123456789abcdef', sha256: 'x' } });
    const { workers, ended, events } = start(scratch, { folder: first.folder });
    await finishAll(workers, ended);
    expect(why(events)).toEqual({ 'finetune scratch': 'its result names a pre-training, and it starts from none' });
  });
});

type Paths = ReturnType<ReturnType<typeof sweepPaths>['stage']>;

function edit(file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace('"seed": 0', '"seed": 1'));
}

describe('a failure', () => {
  test('blocks what depends on it and nothing else', async () => {
    const { workers, ended, events, pathsOf } = start(TWO, { jobs: 2 });
    await workers.fail('pretrain masked', 'the loss became NaN');
    const summary = await finishAll(workers, ended);
    expect(summary).toMatchObject({ done: 5, pending: 0, interrupted: [] });
    const log = pathsOf('pretrain masked').log;
    expect(summary.failed).toMatchObject([
      { stage: { name: 'pretrain masked', kind: 'pretrain' }, reason: 'the loss became NaN', log },
    ]);
    expect(summary.blocked.map(({ name }) => name)).toEqual(['finetune masked', 'knn masked']);
    expect(workers.started).not.toContain('finetune masked');
    expect(brief(events)).toContain('stage-blocked knn masked');
    expect(state(pathsOf('pretrain masked'))).toMatchObject({ status: 'failed', reason: 'the loss became NaN' });
  });

  test('is what becomes of a worker that says done without a result', async () => {
    const { workers, ended } = start(planOf('grid: {objective: [scratch]}'));
    const { emit, end } = await workers.when('finetune scratch');
    emit({ type: 'done', result: resultOf('finetune') });
    end({ kind: 'exit', code: 0 });
    const { failed } = await ended;
    expect(failed[0]!.reason).toBe('the worker reported the end of the stage, but there is no result.json');
  });

  test('is what becomes of a worker whose result does not read back', async () => {
    const { workers, ended } = start(planOf('grid: {objective: [scratch]}'));
    const { emit, end, paths } = await workers.when('finetune scratch');
    writeJson(paths.result, { kind: 'finetune' });
    emit({ type: 'done', result: resultOf('finetune') });
    end({ kind: 'exit', code: 0 });
    const { failed } = await ended;
    expect(failed[0]!.reason).toMatch(
      /^the worker reported the end of the stage, but .*result\.json is damaged, or of another version/,
    );
  });

  test('is what becomes of a worker that leaves the numbers of another kind of stage', async () => {
    const { workers, ended } = start(planOf('grid: {objective: [scratch]}'));
    const { end, paths } = await workers.when('finetune scratch');
    writeJson(paths.result, resultOf('knn'));
    end({ kind: 'exit', code: 0 });
    expect(await ended).toMatchObject({ done: 0, failed: [{ stage: { name: 'finetune scratch' } }] });
  });

  test('quotes only the log of its own attempt', async () => {
    const plan = planOf('grid: {objective: [scratch]}');
    const folder = join(root, 'log');
    for (const line of ['first', 'second']) {
      const { workers, ended } = start(plan, { folder });
      const { end, paths } = await workers.when('finetune scratch');
      appendFileSync(paths.log, `${line}\n`);
      end({ kind: 'exit', code: 3 });
      const { failed } = await ended;
      expect(failed[0]!.reason).toBe(`the worker ended without a result (exit code 3); the end of its log:\n  ${line}`);
    }
  });

  test('is not hidden by the result of an earlier attempt', async () => {
    const plan = planOf('grid: {objective: [scratch]}');
    const first = start(plan);
    await first.workers.finish('finetune scratch');
    await first.ended;
    edit(first.pathsOf('finetune scratch').stage);
    const second = start(plan, { folder: first.folder });
    (await second.workers.when('finetune scratch')).end({ kind: 'exit', code: 0 });
    expect((await second.ended).failed).toHaveLength(1);
  });

  test('is not made of a worker that stumbles after its result is complete', async () => {
    const { workers, ended, events } = start(planOf('grid: {objective: [scratch]}'));
    const { end, paths } = await workers.when('finetune scratch');
    writeJson(paths.result, resultOf('finetune'));
    end({ kind: 'signal', signal: 'SIGSEGV' });
    expect(await ended).toMatchObject({ done: 1, failed: [] });
    const message = 'its result is complete, but its worker ended abnormally (killed by SIGSEGV)';
    expect(events).toContainEqual(expect.objectContaining({ type: 'stage-warning', message }));
  });
});

describe('an interruption', () => {
  test('starts nothing new, stops workers, and a re-run continues', async () => {
    const first = start(TWO, { jobs: 2 });
    await first.workers.when('pretrain zoomed-in');
    first.workers.onInterrupt = (name) => {
      first.workers.get(name).end({ kind: 'exit', code: 130 });
    };
    await first.workers.finish('pretrain masked');
    await first.workers.when('finetune scratch');
    first.stop.abort();
    expect(first.events.at(-1)).toEqual({ type: 'run-stopping', why: 'asked', workers: 2 });
    const summary = await first.ended;
    expect(summary).toMatchObject({ done: 1, failed: [], blocked: [], pending: 5 });
    expect(summary.interrupted.map(({ name }) => name).sort()).toEqual(['finetune scratch', 'pretrain zoomed-in']);
    expect(state(first.pathsOf('pretrain zoomed-in'))).toMatchObject({ status: 'interrupted', reason: null });

    const second = start(TWO, { folder: first.folder, jobs: 2 });
    expect(await finishAll(second.workers, second.ended)).toMatchObject({ done: 7, hits: 1, pending: 0 });
    expect(second.events).toContainEqual(
      expect.objectContaining({ type: 'stage-started', attempt: 2, why: 'interrupted before' }),
    );
  });

  test('believes a worker that finished just in time', async () => {
    const { workers, ended, stop } = start(TWO);
    await workers.when('pretrain masked');
    stop.abort();
    await workers.finish('pretrain masked');
    expect(await ended).toMatchObject({ done: 1, interrupted: [], pending: 7 });
  });

  test('kills workers that do not stop when asked a second time', async () => {
    const { workers, ended, stop, kill } = start(TWO, { jobs: 2 });
    const { signals } = await workers.when('pretrain zoomed-in');
    stop.abort();
    expect(signals).toEqual(['interrupt']);
    kill.abort();
    expect(signals).toEqual(['interrupt', 'kill']);
    expect((await ended).interrupted).toHaveLength(2);
  });

  test('of one worker by another process is a pre-emption, and the stage is tried again', async () => {
    const { workers, ended, events } = start(planOf('grid: {objective: [masked, scratch]}'), {
      maxAttempts: 2,
      retryPause: 0.01,
    });
    (await workers.when('pretrain masked')).end({ kind: 'exit', code: 130 });
    expect(await finishAll(workers, ended)).toMatchObject({ done: 3, failed: [], blocked: [], pending: 0 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'stage-retry', cause: 'pre-empted', attempts: 1 }));
  });

  test('before the start runs nothing', async () => {
    const signal = AbortSignal.abort();
    const { workers, ended } = start(TWO, { signal });
    expect(await ended).toMatchObject({ done: 0, pending: 8 });
    expect(workers.started).toEqual([]);
  });
});

describe('a stage that another sweep runs', () => {
  const ONE = planOf('grid: {objective: [scratch]}');
  const elsewhere = (events: readonly RunEvent[]) => events.filter((event) => event.type === 'stage-elsewhere');
  const seen = async (events: readonly RunEvent[]): Promise<void> => {
    while (elsewhere(events).length === 0) await new Promise((resolve) => setImmediate(resolve));
  };

  test('is looked at again, and run once it is let go', async () => {
    const folder = join(root, String(count++));
    const got = new Claimant().claim(sweepPaths(folder).stage(ONE.stages[0]!.id));
    if (!('claim' in got)) throw new Error('held');
    const { workers, events, ended } = start(ONE, { folder, lookEvery: 0.01 });
    await seen(events);
    expect(workers.started).toEqual([]);
    got.claim.release();
    expect(await finishAll(workers, ended)).toMatchObject({ done: 1, pending: 0 });
    expect(elsewhere(events)).toMatchObject([{ host: hostname() }]); // reported once
  });

  test('is of an unknown host if the claim cannot be read', async () => {
    const folder = join(root, String(count++));
    const paths = sweepPaths(folder).stage(ONE.stages[0]!.id);
    mkdirSync(paths.folder, { recursive: true });
    writeFileSync(join(paths.folder, 'claim-1.json'), '');
    const { workers, events, ended } = start(ONE, { folder, lookEvery: 0.01 });
    await seen(events);
    rmSync(join(paths.folder, 'claim-1.json'));
    await finishAll(workers, ended);
    expect(elsewhere(events)).toEqual([{ type: 'stage-elsewhere', stage: expect.anything() as unknown, host: null }]);
  });
});

test('stages without a result that a run does not care for are counted as left', async () => {
  const folder = join(root, String(count++));
  const failed = TWO.stages.find(({ config }) => config.kind === 'pretrain')!;
  writeJson(sweepPaths(folder).stage(failed.id).state, {
    ...{ status: 'failed', attempt: 1, pid: 1, host: 'here', startedAt: '2026-01-01T00:00:00.000Z', endedAt: null },
    ...{ reason: 'the loss became NaN', cause: 'diverged' },
  });
  const only = chooseStages(TWO, sweepPaths(folder), 'none');
  expect(stagesLeft(TWO, sweepPaths(folder), only)).toBe(3); // the pre-training, and both stages that start from it
  const { workers, ended } = start(TWO, { folder, only });
  expect(await finishAll(workers, ended)).toMatchObject({ stages: 5, done: 5, failed: [], blocked: [], left: 3 });
});

test('a folder that cannot be written to stops the run with an error, after its workers have ended', async () => {
  const plan = planOf('grid: {objective: [scratch, masked]}');
  const folder = join(root, 'unwritable');
  const scratch = plan.stages.find(({ config, parent }) => config.kind === 'finetune' && parent === null)!;
  writeFileAtomic(sweepPaths(folder).stage(scratch.id).folder, 'a file where a folder should be');
  const { workers, ended } = start(plan, { folder, jobs: 2 });
  workers.onInterrupt = (name) => {
    workers.get(name).end({ kind: 'exit', code: 130 });
  };
  await expect(ended).rejects.toThrow('EEXIST');
  expect(workers.started).toEqual(['pretrain masked']);
  expect(workers.names).toEqual([]);
});
