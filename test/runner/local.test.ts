import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { RunEvent } from '../../src/runner/events.js';
import { localWorkers } from '../../src/runner/local.js';
import { parseEvent } from '../../src/runner/worker-lines.js';
import { runPlan } from '../../src/runner/run-plan.js';
import { writeJson } from '../../src/store/files.js';
import type { Stage } from '../../src/spec/stages.js';
import { sweepPaths } from '../../src/store/layout.js';
import { brief, planOf, resultOf, temporaryFolder } from './support.js';
import { hasSignals, onlyIf } from '../support/capabilities.js';

const WORKER = join(process.cwd(), 'test/runner/fixtures/worker.mjs');
const MASKED = planOf('grid: {objective: [masked]}');
const root = temporaryFolder();
let count = 0;

/** Runs pre-training and fine-tuning in real processes that behave as told; `react` may stop them. */
async function run(
  behaviour: string,
  react: (event: RunEvent, stop: AbortController, kill: AbortController) => void = () => undefined,
) {
  const folder = join(root, String(count++));
  const [stop, kill] = [new AbortController(), new AbortController()];
  const events: RunEvent[] = [];
  const summary = await runPlan({
    plan: MASKED,
    folder,
    jobs: 2,
    launch: localWorkers({ bin: WORKER, device: behaviour, threads: 1 }).launch,
    onEvent: (event) => {
      events.push(event);
      react(event, stop, kill);
    },
    signal: stop.signal,
    killSignal: kill.signal,
  });
  return { summary, events, paths: sweepPaths(folder).stage(MASKED.stages[0]!.id) };
}

const reasonOf = ({ summary }: Awaited<ReturnType<typeof run>>): string => summary.failed[0]!.reason;

const testSignals = onlyIf(await hasSignals(), test);

test('a worker is told its stage and device, and its words become events', async () => {
  const { summary, events, paths } = await run('pretrain=done,finetune=done');
  expect(summary).toMatchObject({ done: 2, failed: [] });
  expect(brief(events)).toEqual([
    'plan-started',
    'stage-started pretrain masked',
    'stage-training pretrain masked',
    'stage-progress pretrain masked',
    'stage-done pretrain masked',
    'stage-started finetune masked',
    'stage-training finetune masked',
    'stage-progress finetune masked',
    'stage-done finetune masked',
    'run-ended',
  ]);
  expect(events[3]).toMatchObject({ epoch: 0, epochs: 20, step: 2, steps: 4, loss: 0.7, imagesPerSecond: 10 });
  expect(readFileSync(paths.log, 'utf8')).toMatch(/^=== attempt 1, .*\na line on standard error\n$/);
});

test('what a worker prints besides is a warning and goes to the log', async () => {
  const { summary, events, paths } = await run('pretrain=garbage,finetune=done');
  expect(summary).toMatchObject({ done: 2, failed: [] });
  expect(events.flatMap((event) => (event.type === 'stage-warning' ? [event.message] : []))).toEqual([
    'unexpected output: a library says hello',
    'unexpected output: {"type":"progress","loss":"none"}',
  ]);
  expect(readFileSync(paths.log, 'utf8')).toContain('\na library says hello\n');
});

testSignals('a killed worker fails its stage with the signal and the end of its log', async () => {
  const outcome = await run('pretrain=killed');
  expect(outcome.summary).toMatchObject({ done: 0, blocked: [{ name: 'finetune masked' }] });
  expect(reasonOf(outcome)).toBe(
    'the worker ended without a result (killed by SIGKILL); the end of its log:\n  a line on standard error',
  );
});

test('a worker that dies of a bug fails its stage with the exit code and the trace', async () => {
  const outcome = await run('pretrain=crash');
  expect(reasonOf(outcome)).toMatch(/^the worker ended without a result \(exit code 1\); the end of its log:\n/);
  expect(reasonOf(outcome)).toContain('Error: an unforeseen fault');
});

test('a worker that ends without a message fails its stage', async () => {
  expect(reasonOf(await run('pretrain=silent'))).toContain('exit code 3');
});

test('a worker that claims a result which is not there fails its stage', async () => {
  expect(reasonOf(await run('pretrain=no-result'))).toContain('there is no result.json');
});

testSignals('a worker leads a process group of its own, which Ctrl-C in a terminal does not reach', async () => {
  const paths = sweepPaths(join(root, String(count++))).stage(MASKED.stages[0]!.id);
  writeJson(paths.stage, MASKED.stages[0]);
  const { launch } = localWorkers({ bin: WORKER, device: 'pretrain=patient', threads: 1 });
  const worker = launch({ stage: MASKED.stages[0]!, paths, claim: 'x', slot: 0, onEvent: () => undefined });
  expect(() => process.kill(-worker.pid!, 0)).not.toThrow(); // there is a group of this number
  worker.kill();
  expect(await worker.ended).toEqual({ kind: 'signal', signal: 'SIGKILL' });
});

testSignals('an asked worker keeps its checkpoint and is interrupted', async () => {
  const { summary, paths } = await run('pretrain=patient', (event, stop) => {
    if (event.type === 'stage-warning') stop.abort();
  });
  expect(summary).toMatchObject({ interrupted: [{ name: 'pretrain masked' }], failed: [], pending: 1 });
  expect(readFileSync(paths.checkpoint, 'utf8')).toBe('half-way');
});

testSignals('a worker deaf to the request is killed on the second', async () => {
  const { summary, paths } = await run('pretrain=stubborn', (event, stop, kill) => {
    if (event.type !== 'stage-warning') return;
    if (event.message === 'waiting') stop.abort();
    else kill.abort();
  });
  expect(summary).toMatchObject({ interrupted: [{ name: 'pretrain masked' }], failed: [], pending: 1 });
  expect(existsSync(paths.checkpoint)).toBe(false);
});

describe('a worker that is idle', () => {
  const IDLE = join(process.cwd(), 'test/runner/fixtures/idle-worker.mjs');
  const [pretrain, finetune] = MASKED.stages as [Stage, Stage];

  function prepare(device: string) {
    const paths = sweepPaths(join(root, String(count++)));
    for (const stage of MASKED.stages) writeJson(paths.stage(stage.id).stage, stage);
    const workers = localWorkers({ bin: IDLE, device, threads: 1 });
    const launch = (stage: Stage, slot: number) =>
      workers.launch({ stage, paths: paths.stage(stage.id), claim: 'x', slot, onEvent: () => undefined });
    return { paths, launch, close: workers.close };
  }

  test('runs the next stage of its slot, and writes to the log of that stage', async () => {
    const { paths, launch, close } = prepare('stays');
    const first = launch(pretrain, 0);
    expect(await first.ended).toEqual({ kind: 'exit', code: 0 });
    const second = launch(finetune, 0);
    expect(second.pid).toBe(first.pid);
    expect(await second.ended).toEqual({ kind: 'exit', code: 0 });
    close();
    await gone(first.pid!);
    for (const { id } of MASKED.stages) expect(readFileSync(paths.stage(id).log, 'utf8')).toBe(`the log of ${id}\n`);
  });

  test('does not run the stages of another slot', async () => {
    const { launch, close } = prepare('stays');
    const first = launch(pretrain, 0);
    await first.ended;
    const second = launch(finetune, 1);
    expect(second.pid).not.toBe(first.pid);
    await second.ended;
    close();
    await Promise.all([gone(first.pid!), gone(second.pid!)]);
  });

  test('is replaced if it has ended meanwhile', async () => {
    const { launch, close } = prepare('leaves');
    const first = launch(pretrain, 0);
    await first.ended;
    await gone(first.pid!);
    const second = launch(finetune, 0);
    expect(await second.ended).toEqual({ kind: 'exit', code: 0 });
    expect(second.pid).not.toBe(first.pid);
    close();
  });

  /** Resolves once a child of this process has ended and was waited for. */
  async function gone(pid: number): Promise<void> {
    const runs = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    while (runs()) await setImmediate();
  }
});

describe('a line of output', () => {
  test('is an event when it has the shape of one', () => {
    const event = { type: 'done', result: resultOf('knn') };
    expect(parseEvent(JSON.stringify(event))).toEqual(event);
  });

  test.each(['', 'null', '[]', '{"type":"started"}', '{"type":"unheard-of"}', '{"type":"done","result":{}}'])(
    'is a warning otherwise: %p',
    (line) => {
      expect(parseEvent(line)).toEqual({ type: 'warning', message: `unexpected output: ${line}` });
    },
  );

  test('is quoted in part when it is long', () => {
    const event = parseEvent('x'.repeat(5000));
    expect(event).toEqual({ type: 'warning', message: `unexpected output: ${'x'.repeat(200)}…` });
  });
});
