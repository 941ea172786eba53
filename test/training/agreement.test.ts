/**
 * Training on the fast devices equals training in plain tfjs: the same losses, step by step, for every objective. The
 * fast devices also agree with each other. Images are cropped and degraded on the device for webgpu, on the processor
 * for others.
 */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import type { Recorder } from '../../src/ops/repeat.js';
import type { Device } from '../../src/backends/device.js';
import type { DeviceName } from '../../src/backends/index.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Plan } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJsonLines } from '../../src/store/files.js';
import { stagePaths } from '../../src/store/layout.js';
import { Interrupted } from '../../src/training/interrupted.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';
import { availableDevices } from '../support/devices.js';
import { evaluationOf } from '../support/entries.js';
import { setVariables } from '../support/variables.js';

/** 50 epochs of one step each, so that the loss of every step is recorded. */
const SPEC = `
job:
  data: { name: shapes, imageSize: 12, trainImages: 10, testImages: 10 }
  model: { dim: 16, depth: 1, heads: 2, decoder: { dim: 16, depth: 1, heads: 2 } }
  pretrain: { epochs: 50, batchSize: 10, warmupEpochs: 5, baseLearningRate: 0.02 }
  finetune: { epochs: 50, batchSize: 10, warmupEpochs: 5, baseLearningRate: 0.02 }
grid:
  objective: [scratch, identity, decolorized, blurred, distorted, zoomed-out, zoomed-in, masked, masked+zoomed-in]
`;

const STEPS = 50;
/** On devices whose steps take long: they run the plain form of each op, or in software. */
const FEWER_STEPS: Partial<Record<DeviceName, number>> = { cpu: 15, tensorflow: 25, webgpu: 25 };
const stepsOn = (device: DeviceName): number => FEWER_STEPS[device] ?? STEPS;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
const plan = buildPlan(sweep, () => fingerprint);
const planIn = (precision: string): Plan => {
  const spec = SPEC.replace('model: {', `model: { precision: ${precision},`);
  return buildPlan(readSweep(spec, { file: 'test.yaml', defaultName: precision }), () => fingerprint);
};
const half = planIn('float16');
const bfloat16 = planIn('bfloat16');
// Unless one is chosen, the products would be measured.
const before = setVariables({ VITMIM_BFLOAT16: process.env.VITMIM_BFLOAT16 ?? 'widened' });
afterAll(() => {
  setVariables(before);
});

const fast = (await availableDevices()).filter((name) => name !== 'cpu');

/** The device that is open: the stages of one share it, since webgpu compiles its shaders anew after each opening. */
let open: { name: DeviceName; device: Device } | undefined;
async function openOnly(name: DeviceName): Promise<void> {
  if (open?.name === name) return;
  open?.device.close();
  open = { name, device: await openDevice(name, { threads: 1 }) };
}
afterAll(() => {
  open?.device.close();
});

/** Losses of stages that have run, by folder: a finished stage would not run again. */
const known = new Map<string, number[]>();

/** The losses of all steps, or of the first {@link FEWER_STEPS}. */
async function losses(id: string, device: DeviceName, { stages } = plan): Promise<number[]> {
  const before = known.get(join(device, id));
  if (before) return before;
  const stage = stages.find((candidate) => candidate.id === id)!;
  const stop = new AbortController();
  const paths = stagePaths(join(folder.path, device, id));
  await openOnly(device);
  const recordings = device === 'webgpu' || device === 'simd' ? countRecordings() : undefined;
  const running = runStage(stage, paths, {
    device,
    emit: (event) => {
      if (event.type === 'progress' && event.step === stepsOn(device) && event.step < STEPS) stop.abort();
    },
    signal: stop.signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
  if (stepsOn(device) < STEPS) await expect(running).rejects.toThrow(Interrupted);
  else await running;
  expect(recordings?.()).toBe(recordings && 1); // the third step; all others replay it
  // Progress is also reported between readings if a step takes long; the metrics contain only the readings.
  const lines = readJsonLines(paths.metrics) as { loss?: number }[];
  const readings = lines.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
  known.set(join(device, id), readings);
  return readings;
}

/** Counts the steps that the device records from now on. */
function countRecordings(): () => number {
  const backend = tf.backend() as unknown as Recorder;
  const record = backend.record.bind(backend);
  let count = 0;
  backend.record = (...call) => {
    const recorded = record(...call);
    if (recorded) count += 1;
    return recorded;
  };
  return () => {
    backend.record = record;
    return count;
  };
}

const stages = plan.jobs.map((job) => {
  const { objective } = job.cells[0]!;
  return [objective, objective === 'scratch' ? evaluationOf(job, 'finetune')! : job.pretrain!] as const;
});

beforeAll(async () => {
  for (const device of ['cpu', ...fast] as const) for (const [, id] of stages) await losses(id, device);
});

it.each(stages)('%s: losses of all steps within a thousandth', async (_objective, id) => {
  const runs: { device: DeviceName; told: number[] }[] = [{ device: 'cpu', told: await losses(id, 'cpu') }];
  for (const device of fast) runs.push({ device, told: await losses(id, device) });
  for (const [index, run] of runs.entries()) {
    expect(run.told).toHaveLength(stepsOn(run.device));
    for (const other of runs.slice(0, index)) {
      const common = Math.min(run.told.length, other.told.length);
      const distances = run.told.slice(0, common).map((loss, step) => Math.abs(loss / other.told[step]! - 1));
      expect({ [`${run.device} to ${other.device}`]: Math.max(...distances) < 1e-3 || distances }).toEqual({
        [`${run.device} to ${other.device}`]: true,
      });
    }
  }
});

const ofObjective = ({ jobs }: typeof plan, objective: string): string =>
  jobs
    .filter(({ cells }) => cells[0]!.objective === objective)
    .map(({ pretrain, evaluations }) => pretrain ?? evaluationOf({ evaluations }, 'finetune')!)[0]!;

// Ten images in 50 steps: the differences by rounding are not averaged, and grow from step to step.
(fast.includes('webgpu') ? it : it.skip).each(['scratch', 'masked', 'zoomed-in'])(
  '%s in float16: losses within two hundredths of those in float32',
  async (objective) => {
    const exact = await losses(ofObjective(plan, objective), 'simd');
    const rounded = await losses(ofObjective(half, objective), 'webgpu', half);
    const distances = rounded.map((loss, step) => Math.abs(loss / exact[step]! - 1));
    expect(rounded).toHaveLength(stepsOn('webgpu'));
    expect(Math.max(...distances)).toBeLessThan(0.02);
    expect(Math.max(...distances)).toBeGreaterThan(1e-6); // otherwise it was float32
  },
);

it.each(plan.jobs.map(({ cells }) => cells[0]!.objective))(
  '%s in bfloat16: losses of 50 steps within a hundredth of those in float32',
  async (objective) => {
    const exact = await losses(ofObjective(plan, objective), 'simd');
    const rounded = await losses(ofObjective(bfloat16, objective), 'simd', bfloat16);
    const distances = exact.map((loss, step) => Math.abs(rounded[step]! / loss - 1));
    expect(rounded).toHaveLength(STEPS);
    expect(Math.max(...distances)).toBeLessThan(0.01);
    expect(Math.max(...distances)).toBeGreaterThan(1e-6); // otherwise it was float32
  },
);

it('in float16 is rejected if the device does not multiply in it', async () => {
  await expect(losses(ofObjective(half, 'masked'), 'simd', half)).rejects.toThrow(/simd does not multiply in float16/);
});
