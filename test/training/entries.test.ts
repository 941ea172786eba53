/** Stages of evaluations with shots, repeats and data sets of their own: they run, and draw what they should. */
import { join } from 'node:path';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan, datasetsOf } from '../../src/spec/plan.js';
import { repeatsOf, type Plan } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { EVALUATIONS } from '../../src/stages/index.js';
import { lackOf } from '../../src/stages/evaluation.js';
import { numberIn } from '../../src/stages/fields.js';
import { stagePaths } from '../../src/store/layout.js';
import type { StageResult } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';

const JOB = `
  data: { name: shapes, imageSize: 8, trainImages: 60, testImages: 40 }
  model: { patchSize: 4, dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 10, data: { name: shapes, trainImages: 30 } }
  linear: { epochs: 3, warmupEpochs: 0, batchSize: 10 }
  finetune: { epochs: 1, warmupEpochs: 0, batchSize: 10 }
  evaluate:
    - { name: two-shot, protocol: linear, shots: 2, repeats: 3 }
    - { name: plain, protocol: linear, shots: 2 }
    - { name: other, protocol: finetune, data: { name: shapes, trainImages: 50, testImages: 20 }, shots: 3 }
    - { name: nearest, protocol: knn, data: { name: shapes, trainImages: 70 } }
`;

const folder = temporaryFolder();
let device: Device;
let plan: Plan;
const results = new Map<string, StageResult>();

beforeAll(async () => {
  device = await openDevice('simd');
  const sweep = readSweep(`job:${JOB}`, { file: 'entries.yaml', defaultName: 'entries' });
  const fingerprints = new Map<string, string>();
  for (const data of datasetsOf(sweep)) fingerprints.set(JSON.stringify(data), (await openDataset(data)).fingerprint);
  plan = buildPlan(sweep, (data) => fingerprints.get(JSON.stringify(data))!);
  for (const stage of plan.stages) {
    const result = await runStage(stage, stagePaths(join(folder.path, stage.id)), {
      device: 'simd',
      emit: () => undefined,
      signal: new AbortController().signal,
      mayWrite: () => undefined,
      checkpointEvery: Infinity,
    });
    results.set(stage.id, result);
  }
});
afterAll(() => {
  device.close();
  folder.remove();
});

const resultsOf = (name: string): StageResult[] => repeatsOf(plan.jobs[0]!, name).map((id) => results.get(id)!);

test('shots are images of each class', () => {
  expect(resultsOf('two-shot').map(({ trainImages }) => trainImages)).toEqual([20, 20, 20]);
  expect(resultsOf('other')[0]).toMatchObject({ trainImages: 30, testImages: 20 });
});

test('repeats draw other images, and the first one is the evaluation without repeats', () => {
  const losses = resultsOf('two-shot').map((result) => numberIn(result, 'loss'));
  expect(new Set(losses).size).toBe(3);
  expect(repeatsOf(plan.jobs[0]!, 'plain')[0]).toBe(repeatsOf(plan.jobs[0]!, 'two-shot')[0]);
});

test('pre-training and evaluations have their own data sets, and one encoder', () => {
  const pretrain = results.get(plan.jobs[0]!.pretrain!)!;
  expect(pretrain).toMatchObject({ kind: 'pretrain', trainImages: 30 });
  expect(resultsOf('nearest')[0]).toMatchObject({ trainImages: 70, testImages: 1000 });
  const fingerprints = new Set(plan.stages.map(({ dataFingerprint }) => dataFingerprint));
  expect(fingerprints.size).toBeGreaterThan(1);
});

test('classifications measure the mean accuracy per class: the accuracy, if all classes have as many images', () => {
  for (const name of ['two-shot', 'nearest', 'other']) {
    const [result] = resultsOf(name);
    expect(numberIn(result!, 'meanPerClass')).toBeCloseTo(numberIn(result!, 'accuracy')!, 9);
  }
});

test('an attentive probe of more training tokens than memory is refused with the number of images that fit', () => {
  const { problemOf } = EVALUATIONS.attentive;
  const model = { imageSize: 224, patchSize: 16, dim: 768 }; // 602,112 bytes an image, 14,266 of which are 8 GiB
  expect(problemOf!({ name: 'probe', model, trainImages: 14_266 })).toBeNull();
  expect(problemOf!({ name: 'probe', model, trainImages: 20_000 })).toBe(
    'probe keeps the tokens of its training images in memory: 20000 images take 11.2 GiB, and it may use 8.0 GiB; choose ' +
      'fewer labels (labelFraction or shots: at most 14266 images), larger patches or smaller images',
  );
});

test('too few images for the shots are named with the class', async () => {
  const dataset = await openDataset({ name: 'shapes', imageSize: 8, trainImages: 25, testImages: 10 });
  expect(lackOf({ name: 'ten-shot', needs: 'class', shots: 10 }, dataset)).toMatch(
    /^ten-shot takes 10 shots of each class, and class \w+ of shapes has 2 training images; lower shots to 2, or use more/,
  );
  expect(lackOf({ name: 'two-shot', needs: 'class', shots: 2 }, dataset)).toBeNull();
});
