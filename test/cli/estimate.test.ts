/** Time and room that a plan takes, against arithmetic by hand and a checkpoint as it is written. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { bytesLeft, DataSizes, estimateCost, flopsOf } from '../../src/cli/estimate.js';
import { initialValues, type Purpose } from '../../src/model/parameters.js';
import { pretrainPurpose } from '../../src/spec/shapes.js';
import { encodingCost, finetuneCost, pretrainCost } from '../../src/spec/flops.js';
import type { Plan, StageConfig } from '../../src/spec/stages.js';
import { stagePaths } from '../../src/store/layout.js';
import { readSafetensorsHeader } from '../../src/store/safetensors.js';
import { disposeState, freshState, saveState } from '../../src/training/state.js';
import { planOf, resultOf, temporaryFolder } from '../runner/support.js';

const plan: Plan = planOf(`
job:
  data: { name: shapes, imageSize: 16, trainImages: 43, testImages: 20, labelFraction: 0.5 }
  model: { dim: 8, depth: 1, heads: 2, classToken: true, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 3, batchSize: 8, warmupEpochs: 1 }
  finetune: { epochs: 2, batchSize: 8, warmupEpochs: 1, evaluateEvery: 1 }
  evaluate: [finetune, linear, knn]
grid: { objective: [masked] }
`);
const configOf = <Kind extends StageConfig['kind']>(kind: Kind) =>
  plan.stages.find(({ config }) => config.kind === kind)!.config as Extract<StageConfig, { kind: Kind }>;
const SIZE = { train: 43, test: 20, classes: 10 };
const { pretrain, finetune } = { pretrain: configOf('pretrain'), finetune: configOf('finetune') };

it('counts the images of whole batches, and those of the test set once', () => {
  // 43 images are five batches of 8 an epoch.
  expect(flopsOf(pretrain, SIZE, 43)).toBe(pretrainCost(pretrain.model, pretrain.task).training * 3 * 40);
  const cost = finetuneCost(finetune.model, 10);
  expect(flopsOf(finetune, SIZE, 22)).toBe(cost.training * 2 * 16 + cost.forward * 20);
  expect(flopsOf(configOf('knn'), SIZE, 22)).toBe(encodingCost(finetune.model) * 42);
  // Fewer images than a batch are one batch.
  expect(flopsOf(pretrain, SIZE, 5)).toBe(pretrainCost(pretrain.model, pretrain.task).training * 3 * 5);
});

it.each([
  ['pretrain', pretrain, pretrainPurpose(pretrain)],
  ['finetune', finetune, { for: 'classification', classes: 10 }],
] as [string, StageConfig, Purpose][])(
  'a checkpoint of %s has exactly the bytes that are foretold',
  async (_kind, config, purpose) => {
    await tf.setBackend('cpu');
    const state = freshState(initialValues(config.model, purpose, 0), { depth: 1, layerDecay: 1, weightDecay: 0 });
    const paths = stagePaths(join(temporaryFolder(), config.kind));
    await saveState(paths, { stage: 'x', parent: null }, state);
    disposeState(state);
    const { tensors } = readSafetensorsHeader(paths.checkpoint);
    const bytes = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
    expect(bytesLeft(config, 10).checkpoint).toBe(bytes);
  },
);

it('includes the best weights if a fine-tuning keeps them, and nothing for probes', () => {
  const { checkpoint, best } = bytesLeft(finetune, 10);
  // Weights and two moments of all but the position table of 1 × 8, and two sums, of 4 bytes each.
  const positions = (finetune.model.imageSize / finetune.model.patchSize) ** 2 * 8;
  expect(checkpoint).toBe(3 * best - 2 * 4 * positions + 8);
  expect(bytesLeft(configOf('linear'), 10)).toEqual({ checkpoint: 0, best: 0 });
});

it('takes the time from stages that are done, each kind from its own', () => {
  const sizes = new DataSizes();
  sizes.add(pretrain.data, SIZE);
  const done = [
    { config: pretrain, result: { ...resultOf('pretrain', { seconds: 100 }), trainImages: 43 } },
    { config: finetune, result: { ...resultOf('finetune', { seconds: 7 }), trainImages: 22, testImages: 20 } },
  ];
  const trained = plan.stages.filter(({ config }) => config.kind === 'pretrain' || config.kind === 'finetune');
  const found = estimateCost(trained, sizes, done);
  expect(found.measured).toBe(2);
  expect(found.seconds).toBeCloseTo(107, 0); // less the classifier's own products
  expect(estimateCost(trained, sizes, [])).toMatchObject({ seconds: null, flops: found.flops, bytes: found.bytes });
  expect(found.largest).toBe(bytesLeft(pretrain, 10).checkpoint);
});

it('takes no speed from stages that run no model', () => {
  const sizes = new DataSizes();
  sizes.add(pretrain.data, SIZE);
  const idle = {
    config: configOf('knn'),
    result: { ...resultOf('knn', { seconds: 5 }), trainImages: 0, testImages: 0 },
  };
  expect(estimateCost(plan.stages, sizes, [idle])).toMatchObject({ measured: 0, seconds: null, rates: {} });
});

it('encodes the images of a linear probe once, or in each epoch if they are augmented', () => {
  const linear = configOf('linear');
  const augmented = { ...linear, recipe: { ...linear.recipe, epochs: 3, batchSize: 10, augment: true as const } };
  expect(flopsOf(linear, SIZE, 22)).toBe(encodingCost(linear.model) * 42);
  // Two whole batches of 10 in each epoch.
  expect(flopsOf(augmented, SIZE, 22)).toBe(encodingCost(linear.model) * (3 * 20 + 20));
});
