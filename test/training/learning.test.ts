/**
 * Training learns: the loss of every objective falls below that of a zero prediction, and fine-tuning fits its labels.
 */
import { join } from 'node:path';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import type { StageResult } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';
import { evaluationOf } from '../support/entries.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 20, testImages: 20 }
  model: { dim: 32, depth: 1, heads: 2, decoder: { dim: 32, depth: 1, heads: 2 } }
  pretrain: { epochs: 150, batchSize: 10, warmupEpochs: 8, baseLearningRate: 0.08, cropScale: [1, 1], flip: false }
  finetune: { epochs: 150, batchSize: 10, warmupEpochs: 8, baseLearningRate: 0.08, cropScale: [1, 1], flip: false,
    mixup: 0, cutmix: 0, dropPath: 0, labelSmoothing: 0 }
grid:
  objective: [scratch, identity, decolorized, blurred, distorted, zoomed-out, zoomed-in, masked, masked+zoomed-in]
  maskRatio: [0, 0.5]
exclude:
  - { objective: [scratch, identity, decolorized, blurred, distorted, zoomed-out, zoomed-in], maskRatio: 0.5 }
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
const plan = buildPlan(sweep, () => fingerprint);
beforeAll(() => openDevice('simd', { threads: 1 }));

function run(id: string): Promise<StageResult> {
  const stage = plan.stages.find((candidate) => candidate.id === id)!;
  const signal = new AbortController().signal;
  return runStage(stage, stagePaths(join(folder.path, id)), {
    device: 'simd',
    emit: () => undefined,
    signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
}

it.each(plan.jobs.filter(({ pretrain }) => pretrain !== null).map((job) => [job.cells[0]!.objective, job] as const))(
  'pre-training on %s falls well below a zero prediction',
  async (_objective, { pretrain }) => {
    const result = await run(pretrain!);
    if (result.kind !== 'pretrain') throw new Error('expected a pre-training');
    expect(result.loss).toBeLessThan(0.9 * result.zeroLoss);
  },
);

it.each(['scratch', 'decolorized'])('fine-tuning from %s fits twenty labels', async (objective) => {
  const job = plan.jobs.find(({ cells }) => cells[0]!.objective === objective)!;
  const result = await run(evaluationOf(job, 'finetune')!);
  if (result.kind !== 'finetune') throw new Error('expected a fine-tuning');
  expect(result.loss).toBeLessThan(0.5); // ln 10 = 2.3 at the beginning
});
