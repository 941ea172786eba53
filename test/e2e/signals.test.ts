/** Signals, and readers that close the output, by the real executable. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJson, writeJson } from '../../src/store/files.js';
import { stagePaths, sweepPaths } from '../../src/store/layout.js';
import { stateSchema, type StageState } from '../../src/store/records.js';
import { readSafetensorsHeader } from '../../src/store/safetensors.js';
import { start, temporaryFolder, until } from '../support/cli.js';
import { Rig } from '../support/rig.js';

const rigs: Rig[] = [];
afterAll(() => {
  for (const rig of rigs) rig.remove();
});

/** One pre-training after the other, of many short steps. */
function rigOf(steps: number): Rig {
  const rig = new Rig({ grid: '{ objective: [masked, blurred] }', evaluate: '[finetune]', steps, stepMs: 20 });
  rigs.push(rig);
  return rig;
}

const states = (rig: Rig): (StageState['status'] | undefined)[] =>
  rig.plan().stages.map(({ id }) => readJson(sweepPaths(rig.out).stage(id).state, stateSchema)?.status);

/** The step of the checkpoint of the first stage. */
function stepKept(rig: Rig): number {
  const { checkpoint } = sweepPaths(rig.out).stage(rig.plan().stages[0]!.id);
  return Number(readSafetensorsHeader(checkpoint).metadata.step);
}

const hasNoted = (rig: Rig, note: string): boolean => rig.notes().some(({ what }) => what === note);

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends a sweep with %i, a message and a checkpoint', async (signal, code) => {
  const rig = rigOf(1000);
  const running = rig.sweep(['--jobs', '1']);
  await until('it trains', () => hasNoted(rig, 'step 2'));
  running.child.kill(signal);
  const finished = await running.finished;
  expect(finished.code).toBe(code);
  expect(finished.stderr).toContain('stop     waiting for one worker to keep a checkpoint');
  expect(finished.stderr).toContain(`stopped by ${signal}; the same command continues from here`);
  expect(stepKept(rig)).toBeGreaterThan(2);
  expect(states(rig)).toEqual(['interrupted', undefined, undefined, undefined]);
});

test('a sweep whose reader is gone runs to its end', async () => {
  const rig = rigOf(3);
  const running = rig.sweep(['--jobs', '1']);
  await running.said('start    pretrain'); // as `| head -2` does
  running.child.stdout!.destroy();
  running.child.stderr!.destroy();
  expect((await running.finished).code).toBe(0);
  expect(states(rig)).toEqual(['done', 'done', 'done', 'done']);
});

test('a sweep whose reader is gone keeps a checkpoint when it is stopped', async () => {
  const rig = rigOf(1000);
  const running = rig.sweep(['--jobs', '1', '--json']);
  await until('it trains', () => hasNoted(rig, 'step 2'));
  running.child.stdout!.destroy(); // as Ctrl-C does to `| tee log`, which it ends first
  running.child.stderr!.destroy();
  running.child.kill('SIGINT');
  expect((await running.finished).code).toBe(130);
  expect(stepKept(rig)).toBeGreaterThan(2);
  expect(states(rig)[0]).toBe('interrupted');
});

test('commands that only print end quietly when their reader is gone', async () => {
  const rig = rigOf(3);
  expect((await rig.sweep().finished).code).toBe(0);
  for (const args of [
    ['plan', rig.spec, '--out', rig.out],
    ['status', rig.out],
    ['report', rig.out],
    ['completion', 'bash'],
    ['--help'],
  ]) {
    const running = start(args);
    running.child.stdout!.destroy();
    const { code, stderr } = await running.finished;
    expect({ args, code, trace: /EPIPE|\n\s+at /.test(stderr) }).toEqual({ args, code: 0, trace: false });
  }
});

test('status --watch ends with its reader', async () => {
  const rig = rigOf(1000);
  const running = rig.sweep(['--jobs', '1']);
  await until('it trains', () => hasNoted(rig, 'step 2'));
  const watching = start(['status', rig.out, '--watch', '0.1s']);
  watching.child.stdout!.destroy();
  expect((await watching.finished).code).toBe(0);
  running.child.kill('SIGTERM');
  expect((await running.finished).code).toBe(143);
});

test('a signal to only a worker leaves a checkpoint, a message and the exit code of the signal', async () => {
  const folder = temporaryFolder();
  try {
    const spec = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 100000, batchSize: 8, warmupEpochs: 1 }
grid: { objective: [masked] }
`;
    const sweep = readSweep(spec, { file: 'test.yaml', defaultName: 'test' });
    const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
    const [stage] = buildPlan(sweep, () => fingerprint).stages;
    const paths = stagePaths(join(folder.path, 'stages', stage!.id));
    mkdirSync(paths.folder, { recursive: true });
    writeJson(paths.stage, stage);
    let before = 0;
    for (const [signal, code] of [
      ['SIGHUP', 129],
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const running = start(['train', paths.stage, '--device', 'simd', '--threads', '1']);
      await running.said('loss');
      running.child.kill(signal);
      const finished = await running.finished;
      const step = Number(readSafetensorsHeader(paths.checkpoint).metadata.step);
      expect(finished.code).toBe(code);
      expect(finished.stderr).toContain(`${signal}: stopped after step ${step}, with a checkpoint of it`);
      expect(step).toBeGreaterThan(before);
      before = step;
    }
    expect(existsSync(paths.result)).toBe(false);
  } finally {
    folder.remove();
  }
});
