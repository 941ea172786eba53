/** Stages in bfloat16 on device simd: resumed ones, numbers of threads, and devices without it. */
import { join } from 'node:path';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import type { StageResult } from '../../src/store/records.js';
import { Interrupted } from '../../src/training/interrupted.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';
import { bfloat16Variants } from '../support/devices.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 48, testImages: 20 }
  model: { precision: bfloat16, dim: 20, depth: 2, heads: 2, decoder: { dim: 16, depth: 1, heads: 2 } }
  pretrain: { epochs: 3, batchSize: 8, accumulate: 2, warmupEpochs: 1, dropPath: 0.2, baseLearningRate: 0.02, clipGradient: 1 }
  finetune: { epochs: 3, batchSize: 8, warmupEpochs: 1, baseLearningRate: 0.02, evaluateEvery: 1, dropPath: 0.3 }
  evaluate: [finetune, knn]
grid: { objective: [masked+zoomed-in], seed: [3] }
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
const { stages } = buildPlan(sweep, () => fingerprint);

/** @param looks At which reading of its signal, one a step, the stage is asked to stop. */
function run(stage: Stage, name: string, looks = Infinity): Promise<StageResult> {
  let number = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, 'aborted', { get: () => ++number >= looks });
  return runStage(stage, stagePaths(join(folder.path, name, stage.id)), {
    device: 'simd',
    emit: () => undefined,
    signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
}

/** Results of all stages, without their times; they contain the digests of the checkpoints. */
async function runAll(name: string, looks?: number): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const stage of stages) {
    if (looks !== undefined && stage.config.kind !== 'knn') {
      await expect(run(stage, name, looks)).rejects.toThrow(Interrupted);
    }
    const { seconds: _, imagesPerSecond: __, ...result } = await run(stage, name);
    results.push(result);
  }
  return results;
}

describe.each((await bfloat16Variants()).filter(({ label }) => label.endsWith('1 thread')))('$label', ({ label }) => {
  it('resumed stages and two threads give the same bits', async () => {
    const variants = await bfloat16Variants();
    const outcomes: unknown[] = [];
    for (const [name, looks] of [
      ['whole', undefined],
      ['resumed', 7],
      ['two threads', undefined],
    ] as const) {
      const wanted = name === 'two threads' ? label.replace('1 thread', '2 threads') : label;
      const device = await variants.find((variant) => variant.label === wanted)!.open();
      outcomes.push(await runAll(`${label}/${name}`, looks));
      device.close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
  });
});

it('is rejected by other devices, with a remedy', async () => {
  const device = await openDevice('cpu');
  await expect(run(stages[0]!, 'cpu')).rejects.toThrow(/does not multiply in bfloat16; use --device simd, or model/);
  device.close();
});
