/** `vitmim export --weights` and `--onnx` on a folder that a sweep has left: which stage, which files, and what the card says. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { exportCommand } from '../../src/cli/export.js';
import { bytesLeft } from '../../src/cli/estimate.js';
import { exportOnnx, exportWeights, readExported } from '../../src/cli/export-weights.js';
import { openStageData } from '../../src/data/stage-data.js';
import { chooseStage } from '../../src/runner/choose-stage.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Plan } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJson, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { keepPlan } from '../../src/store/plans.js';
import { resultSchema } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { readExportSource } from '../../src/weights/export/source.js';
import { openWeightsFile } from '../../src/weights/read-file.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
name: exported
job:
  data: { name: shapes, imageSize: 8, trainImages: 10, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, patchSize: 4, classToken: true, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 10 }
  finetune: { epochs: 1, warmupEpochs: 0, batchSize: 10, ema: 0.5 }
  evaluate: [finetune]
grid: { objective: [masked], seed: [0, 1] }
`;

const root = temporaryFolder();
const folder = join(root.path, 'results');
let plan: Plan;

beforeAll(async () => {
  await tf.setBackend('cpu');
  const sweep = readSweep(SPEC, { file: 'exported.yaml', defaultName: 'exported' });
  const { config } = buildPlan(sweep, () => '').stages[0]!;
  const { fingerprint } = await openStageData(config);
  plan = buildPlan(sweep, () => fingerprint);
  keepPlan(sweepPaths(folder), plan, new Date(0));
  for (const stage of plan.stages) {
    await runStage(stage, sweepPaths(folder).stage(stage.id), {
      device: 'cpu',
      emit: () => undefined,
      signal: new AbortController().signal,
      mayWrite: () => undefined,
      checkpointEvery: Infinity,
    });
    // One epoch trains nothing, and only healthy runs count.
    const { result } = sweepPaths(folder).stage(stage.id);
    const numbers =
      stage.config.kind === 'pretrain' ? { loss: 0.1 } : { loss: 0.1, accuracy: 40 + 3 * stage.config.seed };
    writeJson(result, { ...readJson(result, resultSchema), ...numbers });
  }
});
afterAll(() => {
  root.remove();
});

test('exports the last stage of a cell, with a card that has its accuracy over the seeds', async () => {
  const exported = readExported(folder, plan, { cell: 'objective=masked,seed=1' });
  expect(exported.stage.config).toMatchObject({ kind: 'finetune', seed: 1 });
  const out = await exportWeights(exported, 'timm', 'newest', join(root.path, 'timm'));
  const card = readFileSync(join(out, 'README.md'), 'utf8');
  // The standard deviation of 40 and 43 is 3/√2.
  expect(card).toContain('| finetune: top-1 accuracy | 43.00 % | 41.50 % ± 2.12 | 2 |');
  expect(card).toContain(`timm.create_model('local-dir:${out}', pretrained=True)`);
  expect(card).toContain(exported.result.checkpoint);
});

test('exports the averages that a fine-tuning with them was measured with', () => {
  const { stage, source } = readExported(folder, plan, { cell: 'seed=0' });
  const { tensors } = openWeightsFile(sweepPaths(folder).stage(stage.id).checkpoint);
  const exported = [...source.weights.get('head.bias')!.data];
  expect(exported).toEqual([...tensors.get('average.head.bias')!.read()]);
  expect(exported).not.toEqual([...tensors.get('head.bias')!.read()]);
});

test('every checkpoint has the bytes that plans estimate, also with averages', () => {
  for (const { id, config } of plan.stages) {
    const { tensors } = openWeightsFile(sweepPaths(folder).stage(id).checkpoint);
    const values = [...tensors.values()].map(({ shape }) => shape.reduce((product, side) => product * side, 1));
    expect(bytesLeft(config, 10).checkpoint).toBe(4 * values.reduce((sum, count) => sum + count, 0));
  }
});

test('names the classes', () => {
  const { source } = readExported(folder, plan, { cell: 'seed=0' });
  expect(source.kind === 'classifier' && source.classes).toContain('crescent');
});

test('exports a pre-training by its kind, below the results folder', async () => {
  const exported = readExported(folder, plan, { cell: 'seed=0', kind: 'pretrain' });
  const out = await exportWeights(exported, 'hf', 'newest');
  expect(out).toBe(join(folder, 'exports', `pretrain-${exported.stage.id.slice(0, 8)}-hf`));
  expect(existsSync(join(out, 'model.safetensors'))).toBe(true);
});

test('exports ONNX in the folders of transformers.js, with a card and metadata that have the accuracy', async () => {
  const exported = readExported(folder, plan, { cell: 'seed=1' });
  const out = await exportOnnx(exported, { half: false }, 'newest', join(root.path, 'onnx'));
  expect(readdirSync(out, { recursive: true }).sort()).toEqual(
    ['README.md', 'config.json', 'onnx', join('onnx', 'model.onnx'), 'preprocessor_config.json'].sort(),
  );
  const card = readFileSync(join(out, 'README.md'), 'utf8');
  expect(card).toContain('| finetune: top-1 accuracy | 43.00 % | 41.50 % ± 2.12 | 2 |');
  expect(card).toContain(`onnxruntime.InferenceSession('${out}/onnx/model.onnx')`);
  expect(card).toContain(`await pipeline('image-classification', '${out}')`);
  const model = readFileSync(join(out, 'onnx/model.onnx'), 'utf8');
  expect(model).toContain('finetune: top-1 accuracy 43.00 %, over seeds 41.50 % ± 2.12 (n = 2)');
  expect(model).toContain(exported.result.checkpoint);
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(config).toMatchObject({ model_type: 'vit', architectures: ['ViTForImageClassification'] });
  expect(config['transformers.js_config']).toEqual({ dtype: 'fp32' });
});

test('exports ONNX in half precision beside the other, and a pre-training as an encoder', async () => {
  const exported = readExported(folder, plan, { cell: 'seed=0', kind: 'pretrain' });
  const out = await exportOnnx(exported, { half: true }, 'newest');
  expect(out).toBe(join(folder, 'exports', `pretrain-${exported.stage.id.slice(0, 8)}-onnx`));
  await exportOnnx(exported, { half: false }, 'newest');
  const [half, full] = ['model_fp16.onnx', 'model.onnx'].map((name) => statSync(join(out, 'onnx', name)).size);
  expect(half).toBeLessThan(full!);
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ architectures: ['ViTModel'] });
});

test('refuses --half without --onnx', async () => {
  const running = exportCommand().parseAsync([folder, '--weights', 'timm', '--half'], { from: 'user' });
  await expect(running).rejects.toThrow('--half is an option of --onnx; add --onnx, or leave --half out');
});

test('says that the head of a segmentation is not exported', () => {
  const spec = 'job: { data: { name: shapes, masks: true }, evaluate: [segment] }\ngrid: { objective: [masked] }';
  const sweep = readSweep(spec, { file: 'segmented.yaml', defaultName: 'segmented' });
  const { config } = buildPlan(sweep, () => '').stages.at(-1)!;
  expect(config.kind).toBe('segment');
  expect(() => readExportSource('unread', config, null)).toThrow(
    'no export has the head of a segmentation; choose a fine-tuning, or its pre-training: --kind pretrain',
  );
});

test.each([
  [{}, /the folder has 2 stages with a checkpoint; name one by --stage:\n {2}[0-9a-f]{16} {2}finetune/],
  [{ stage: 'ffff' }, /--stage ffff matches no stage with a checkpoint; name one by --stage:\n/],
  [{ stage: '../x' }, /"\.\.\/x" is not the identity of a stage/],
  [{ cell: 'masked' }, /"masked" is no value of an axis; write --cell objective=masked,seed=0/],
])('lists the stages for %j', (choice, message) => {
  expect(() => chooseStage(plan, choice)).toThrow(message);
});
