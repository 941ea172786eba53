/**
 * Training on the fast devices is training in plain tfjs: the same losses, step by step, for every objective; and so is
 * each of them beside the others. Images are cropped and degraded on device webgpu, on the processor elsewhere.
 */
import { join } from 'node:path';
import { openDevice } from '../../src/backends/open.js';
import type { DeviceName } from '../../src/backends/device.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';
import { availableDevices } from '../support/devices.js';

/** 50 epochs of one step each, so that the loss of every step is written. */
const SPEC = `
job:
  data: { name: shapes, imageSize: 12, trainImages: 10, testImages: 10 }
  model: { dim: 16, depth: 1, heads: 2, decoder: { dim: 16, depth: 1, heads: 2 } }
  pretrain: { epochs: 50, batchSize: 10, warmupEpochs: 5, baseLearningRate: 0.02 }
  finetune: { epochs: 50, batchSize: 10, warmupEpochs: 5, baseLearningRate: 0.02 }
grid:
  objective: [scratch, identity, decolorized, blurred, distorted, zoomed-out, zoomed-in, masked, masked+zoomed-in]
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
const plan = buildPlan(sweep, () => fingerprint);

const fast = (await availableDevices()).filter((name) => name !== 'cpu');

/** Of every step. */
async function losses(id: string, device: DeviceName): Promise<number[]> {
  const opened = await openDevice(device, { threads: 2 });
  const stage = plan.stages.find((candidate) => candidate.id === id)!;
  const { signal } = new AbortController();
  const paths = stagePaths(join(folder.path, device, id));
  const told: number[] = [];
  await runStage(stage, paths, {
    device,
    emit: (event) => {
      if (event.type === 'progress') told.push(event.loss);
    },
    signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
  opened.close();
  return told;
}

const stages = plan.jobs.map((job) => {
  const { objective } = job.cells[0]!;
  return [objective, objective === 'scratch' ? job.evaluations.finetune! : job.pretrain!] as const;
});

it.each(stages)('%s: losses over 50 steps within a thousandth', async (_objective, id) => {
  const runs = [{ device: 'cpu', told: await losses(id, 'cpu') }];
  for (const device of fast) runs.push({ device, told: await losses(id, device) });
  for (const [index, run] of runs.entries()) {
    expect(run.told).toHaveLength(50);
    for (const other of runs.slice(0, index)) {
      const distances = run.told.map((loss, step) => Math.abs(loss / other.told[step]! - 1));
      expect({ [`${run.device} to ${other.device}`]: Math.max(...distances) < 1e-3 || distances }).toEqual({
        [`${run.device} to ${other.device}`]: true,
      });
    }
  }
});
