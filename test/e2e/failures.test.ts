/** Sweeps whose stages fail, each in its own way, by the real executable. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sweepPaths } from '../../src/store/layout.js';
import { readSafetensorsHeader } from '../../src/store/safetensors.js';
import { start, until } from '../support/cli.js';
import { eventsOf, Rig } from '../support/rig.js';

const rigs: Rig[] = [];
afterAll(() => {
  for (const rig of rigs) rig.remove();
});

function rigOf(options: Partial<ConstructorParameters<typeof Rig>[0]> = {}): Rig {
  const rig = new Rig({ grid: '{ objective: [scratch, masked] }', evaluate: '[finetune]', ...options });
  rigs.push(rig);
  return rig;
}

const causes = (events: ReturnType<typeof eventsOf>, type: string) =>
  events.filter((event) => event.type === type).map(({ cause }) => cause);

test.each([
  ['crash', { crash: 1 }, 'crash', ['--max-attempts', '2']],
  ['a kill from outside', { signal: 1 }, 'crash', ['--max-attempts', '2']],
])('%s is tried again, from the checkpoint', async (_what, orders, cause, args) => {
  const rig = rigOf();
  rig.order({ pretrain: orders });
  const finished = await rig.sweep(['--json', ...args]).finished;
  const events = eventsOf(finished);
  expect(causes(events, 'stage-retry')).toEqual([cause]);
  expect(causes(events, 'stage-failed')).toEqual([]);
  expect(finished.code).toBe(0);
});

/** Attempts without an end: a loaded machine may take longer than the limit to start a healthy one. */
const FOR_EVER = ['--max-attempts', '1000000'];

test.each([
  ['a worker that hangs and prints nothing', { mute: 1 }, 'lost', '--silence-timeout'],
  ['a worker that says only that it waits', { hang: 1 }, 'lost', '--silence-timeout'],
  ['a worker that takes too long', { hang: 1 }, 'timed-out', '--stage-timeout'],
])('%s is tried again', async (_what, orders, cause, limit) => {
  const rig = rigOf({ grid: '{ objective: [masked] }' });
  rig.order({ pretrain: orders });
  const running = rig.sweep([limit, '1s', ...FOR_EVER]);
  await running.said(`retry    pretrain masked: ${cause}`);
  running.child.kill('SIGTERM');
  await running.finished;
});

test.each([
  ['divergence', { diverge: 9 }, 'diverged'],
  ['too little memory', { memory: 9 }, 'out-of-memory'],
])('%s is not tried again, since it would end the same way', async (_what, orders, cause) => {
  const rig = rigOf();
  rig.order({ pretrain: orders });
  const finished = await rig.sweep(['--json']).finished;
  const events = eventsOf(finished);
  expect(causes(events, 'stage-retry')).toEqual([]);
  expect(causes(events, 'stage-failed')).toEqual([cause]);
  expect(finished.code).toBe(1);
});

test('a stage that keeps crashing fails after so many attempts, with its log, and blocks only its children', async () => {
  const rig = rigOf();
  rig.order({ pretrain: { crash: 9 } });
  const { code, stderr } = await rig.sweep(['--max-attempts', '2']).finished;
  expect(code).toBe(1);
  expect(stderr).toContain('retry    pretrain masked: crash, attempt 2 of 2 in 1 s');
  expect(stderr).toContain('failed   pretrain masked: crash after 2 attempts');
  expect(stderr).toContain('Error: an unforeseen fault');
  expect(stderr).toContain('blocked  finetune masked: not run, since pretrain masked failed');
  expect(stderr).toContain('done     finetune scratch');
});

test('--on-failure no-new lets the running end, kill does not; both leave the rest for later', async () => {
  for (const [mode, ended] of [
    ['no-new', 'stage-done'],
    ['kill', 'stage-interrupted'],
  ] as const) {
    const rig = rigOf({ grid: '{ objective: [scratch, masked, zoomed-in], seed: [0, 1] }', steps: 20, stepMs: 50 });
    rig.order({ pretrain: { diverge: 1 } });
    const finished = await rig.sweep(['--json', '--jobs', '2', '--on-failure', mode]).finished;
    const events = eventsOf(finished);
    expect(events.filter(({ type }) => type === 'run-stopping')).toMatchObject([{ why: mode }]);
    expect(causes(events, 'stage-failed').length).toBeGreaterThanOrEqual(1);
    const summary = events.at(-1)!.summary as { pending: number };
    expect(summary.pending).toBeGreaterThan(0);
    expect(events.some(({ type }) => type === ended) || causes(events, 'stage-failed').length === 2).toBe(true);
    expect(finished.code).toBe(1);
  }
});

test('--retry failed runs what failed and what hangs on it; --retry none all but that', async () => {
  const rig = rigOf({ grid: '{ objective: [scratch, masked, zoomed-in] }' });
  rig.order({ pretrain: { diverge: 1 }, finetune: { diverge: 1 } });
  expect((await rig.sweep().finished).code).toBe(1); // both pre-trainings and scratch fail
  const names = (events: ReturnType<typeof eventsOf>) =>
    events.filter(({ type }) => type === 'stage-started').map(({ stage }) => stage!.name);
  const none = await rig.sweep(['--json', '--retry', 'none']).finished;
  expect(names(eventsOf(none))).toEqual([]);
  expect(none.code).toBe(1);
  expect(eventsOf(none).at(-1)!.summary).toMatchObject({ stages: 0, failed: [], blocked: [], left: 5 });
  expect(none.stderr).toContain('5 stages have no result and were not run, because of --retry none');
  rig.order({});
  const failed = await rig.sweep(['--json', '--retry', 'failed', '--set', 'grid.objective=[scratch, masked]']).finished;
  expect(failed.code).toBe(0);
  expect(names(eventsOf(failed))).toEqual(['pretrain masked', 'finetune scratch', 'finetune masked']);
});

test('a full disk stops the sweep with a message; it continues when there is room', async () => {
  const rig = rigOf({ grid: '{ objective: [scratch, masked, zoomed-in] }' });
  rig.order({ pretrain: { disk: 1 } });
  const { code, stderr } = await rig.sweep(['--jobs', '1']).finished;
  expect(code).toBe(1);
  expect(stderr).toContain('disk-full');
  expect(stderr).toContain('nothing new starts');
  expect(rig.notes().filter(({ what }) => what === 'start')).toHaveLength(1);
  rig.order({});
  expect((await rig.sweep().finished).code).toBe(0);
});

test('a sweep says why each stage runs', async () => {
  const rig = rigOf();
  rig.order({ pretrain: { diverge: 1 } });
  const why = async (...args: string[]) =>
    eventsOf(await rig.sweep(['--json', ...args]).finished).flatMap((event) =>
      event.type === 'stage-started' || event.type === 'stage-hit'
        ? [`${event.stage!.name}: ${String(event.why)}`]
        : [],
    );
  expect(await why()).toEqual(['pretrain masked: new', 'finetune scratch: new']);
  expect(await why()).toEqual([
    'finetune scratch: done before',
    'pretrain masked: failed (the loss became NaN between step 1 and step 2)',
    'finetune masked: new',
  ]);
  rig.order({});
  expect(await why('--set', 'job.pretrain.epochs=30')).toEqual([
    'finetune scratch: done before',
    'pretrain masked: changed: pretrain.epochs 20 → 30',
    'finetune masked: changed: pretrain.epochs 20 → 30',
  ]);
});

test('status tells it all from the files, also while it runs', async () => {
  const rig = rigOf();
  rig.order({ pretrain: { hang: 1 } }); // until it is stopped
  const running = rig.sweep(['--jobs', '1']);
  await running.said('run      pretrain masked');
  const during = await rig.run('status', rig.out);
  expect(during.code).toBe(0);
  expect(during.stdout).toContain('0 of 3 stages done');
  expect(during.stdout).toMatch(/Running\n {2}pretrain masked/);
  running.child.kill('SIGTERM');
  expect((await running.finished).code).toBe(143);
  rig.order({ finetune: { diverge: 1 } });
  expect((await rig.sweep(['--jobs', '1']).finished).code).toBe(1);
  const after = await rig.run('status', rig.out, '--json');
  const { counts } = JSON.parse(after.stdout) as { counts: Record<string, number> };
  expect(counts).toEqual({
    ...{ done: 1, running: 0, lost: 0, failed: 2, blocked: 0, interrupted: 0, pending: 0 },
    ...{ open: 0, unneeded: 0 },
  });
  expect((await rig.run('status', rig.out)).stdout).toContain('finetune scratch: diverged: the loss became NaN');
  expect((await rig.run('status', rig.root)).code).toBe(2);
});

test('Ctrl-C once keeps checkpoints and exits with 130; the next sweep continues', async () => {
  const rig = rigOf({ steps: 30, stepMs: 50 });
  const running = rig.sweep(['--jobs', '2', '--json']);
  await until('both train', () => rig.notes().filter(({ what }) => what === 'step 3').length >= 2);
  running.child.kill('SIGINT');
  expect((await running.finished).code).toBe(130);
  const [pretrain] = rig.plan().stages;
  const { metadata } = readSafetensorsHeader(sweepPaths(rig.out).stage(pretrain!.id).checkpoint);
  expect(Number(metadata.step)).toBeGreaterThan(3);
  expect((await rig.sweep().finished).code).toBe(0);
  const steps = rig.notes().filter(({ stage, what }) => stage === pretrain!.id && what.startsWith('step'));
  expect(steps.map(({ what }) => what)).toEqual(Array.from({ length: 30 }, (_, step) => `step ${step}`));
});

test('twice kills workers that do not end', async () => {
  const rig = rigOf();
  rig.order({ pretrain: { mute: 9 } });
  const running = rig.sweep(['--jobs', '1']);
  await until('it has begun', () => rig.notes().some(({ what }) => what === 'start'));
  running.child.kill('SIGINT');
  await running.said('Ctrl-C again to kill');
  const { pid } = rig.notes()[0]!;
  // One that follows at once is the same stop, see stop-signals.ts.
  await until('its worker is killed', () => {
    const gone = !existsSync(`/proc/${pid}`);
    if (!gone) running.child.kill('SIGINT');
    return gone;
  });
  expect((await running.finished).code).toBe(130);
});

test('--adapters gives each stage a GPU of its own', async () => {
  const rig = rigOf({ grid: '{ objective: [scratch], seed: [0, 1, 2, 3, 4, 5] }', stepMs: 40 });
  expect((await rig.sweep(['--adapters', '2,5']).finished).code).toBe(0);
  const holders = new Map<string, string>();
  const busy = new Map<string, string>();
  for (const { stage, what } of rig.notes()) {
    const gpu = /^start gpu (.*)$/.exec(what)?.[1];
    if (gpu !== undefined) {
      expect(busy.has(gpu)).toBe(false);
      busy.set(gpu, stage);
      holders.set(stage, gpu);
    }
    if (what === 'end') busy.delete(holders.get(stage)!);
  }
  expect(holders.size).toBe(6);
  expect(new Set(holders.values())).toEqual(new Set(['2', '5']));
});

/** A sweep of which one stage of three is done, and a command that watches it until all are. */
async function watched(...args: string[]) {
  const rig = rigOf();
  rig.order({ finetune: { diverge: 1 } });
  expect((await rig.sweep().finished).code).toBe(1);
  const watching = start([args[0]!, rig.out, ...args.slice(1)]);
  let looked = '';
  watching.child.stdout!.on('data', (chunk: Buffer) => (looked += chunk.toString()));
  watching.child.stderr!.on('data', (chunk: Buffer) => (looked += chunk.toString()));
  await until('it has looked', () => looked.includes('\n'));
  rig.order({});
  expect((await rig.sweep().finished).code).toBe(0);
  return { rig, finished: await watching.finished };
}

test('status --watch looks again until all is done', async () => {
  const { finished } = await watched('status', '--watch', '0.3s', '--json');
  const looks = finished.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { counts: { done: number } }).counts.done);
  expect([looks[0], looks.at(-1)]).toEqual([1, 3]);
});

test('report --watch writes the report until nothing is missing', async () => {
  const { rig, finished } = await watched('report', '--watch', '0.5s');
  expect(finished.stderr).toContain('1 of 3 results; looking again in 0.5 s');
  expect(finished.code).toBe(0);
  expect(existsSync(join(rig.out, 'report.html'))).toBe(true);
});
