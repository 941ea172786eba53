/** A sweep that chooses a learning rate on validation images, through the real executable and real training. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Plan, Stage } from '../../src/spec/stages.js';
import { sweepPaths } from '../../src/store/layout.js';
import { readJson } from '../../src/store/files.js';
import { resultSchema } from '../../src/store/records.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';
import { eventsOf } from '../support/rig.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 80, testImages: 20, validation: 0.1 }
  model: { dim: 16, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 12, batchSize: 8, warmupEpochs: 0, baseLearningRate: 4.0e-2 }
  finetune: { epochs: 4, batchSize: 8, warmupEpochs: 0, mixup: 0, cutmix: 0, dropPath: 0 }
grid: { objective: [zoomed-in], seed: [0] }
select: { by: finetune, over: { finetune.baseLearningRate: [1.6e-2, 1.0e+3] }, seeds: [100] }
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});
const spec = join(folder.path, 'selection.yaml');
const out = join(folder.path, 'results');
const args = ['sweep', spec, '--out', out, '--device', 'simd'];

const resultOf = ({ id }: Stage) => readJson(sweepPaths(out).stage(id).result, resultSchema);
const rateOf = ({ config }: Stage) => 'baseLearningRate' in config.recipe && config.recipe.baseLearningRate;
const finetunings = ({ stages }: Plan, seed: number): Stage[] =>
  stages.filter(({ config }) => config.kind === 'finetune' && config.seed === seed);

it('compares the rates on validation images, runs the better one on the reporting seed, and shares pre-trainings', async () => {
  writeFileSync(spec, SPEC);
  const { code, stderr } = await vitmim(args);
  expect(stderr).toContain('6 stages');
  expect(code).toBe(0);
  const plan = planIn(out);
  expect(plan.stages.filter(({ config }) => config.kind === 'pretrain')).toHaveLength(2);
  // The large rate diverges, and its candidate loses: that is no failure of the sweep.
  expect(finetunings(plan, 100).map((stage) => [rateOf(stage), resultOf(stage)?.trainImages])).toEqual([
    [1.6e-2, 72],
    [1e3, undefined],
  ]);
  const [chosen, other] = finetunings(plan, 0);
  expect(resultOf(chosen!)).toMatchObject({ trainImages: 80, testImages: 20 });
  expect(resultOf(other!)).toBeUndefined();
});

it('runs nothing the second time, not even what diverged', async () => {
  const finished = await vitmim([...args, '--json']);
  expect(finished.code).toBe(0);
  expect(eventsOf(finished).filter(({ type }) => type === 'stage-started')).toEqual([]);
});

it('shows what was chosen, and nothing is missing', async () => {
  expect((await vitmim(['report', out, '--allow-unhealthy'])).code).toBe(0);
  const rows: unknown = parse(readFileSync(join(out, 'tables/selection.csv'), 'utf8'), { columns: true });
  expect(rows).toMatchObject([
    { cell: 'zoomed-in', 'finetune.baseLearningRate': '0.016', lost: '1', trials: '2', outcome: 'chosen' },
  ]);
});
