/** Optimisers other than AdamW, and averaged weights that follow it: their updates, and checkpoints of their states. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { Repeated } from '../../src/ops/index.js';
import { checkpointBytes } from '../../src/spec/shapes.js';
import { CorruptFileError, readSafetensors, writeSafetensors } from '../../src/store/safetensors.js';
import { trainStep } from '../../src/training/loop.js';
import { adamW } from '../../src/training/optimizers/adamw.js';
import { lars } from '../../src/training/optimizers/lars.js';
import type { Optimizer } from '../../src/training/optimizers/optimizer.js';
import { sgd } from '../../src/training/optimizers/sgd.js';
import {
  disposeState,
  freshState,
  loadState,
  readWeights,
  saveState,
  type TrainingState,
} from '../../src/training/state.js';
import { temporaryFolder } from '../support/cli.js';

const MOMENTUM = sgd({ momentum: 0.5 });

/** Averaged weights: average ← ¾·average + ¼·weight after each step. */
const AVERAGE: Optimizer = {
  groups: [{ name: 'average', initial: 'weights' }],
  inputs: () => [],
  update: (parameters) => {
    for (const { value, state } of parameters) {
      state('average').assign(tf.add(tf.mul(state('average'), 0.75), tf.mul(value, 0.25)));
    }
  },
};

const VALUES = new Map([['w', { shape: [2], data: Float32Array.of(5, -1) }]]);
const SCHEDULE = { baseLearningRate: 0.1, minLearningRate: 0.1, warmupEpochs: 0, batchSize: 256, epochs: 10 };
const PLAN = { stage: 'stage', parent: null, shapes: new Map([['w', [2]]]), epochs: 10, stepsPerEpoch: 1 };

const optionsWith = (...optimizers: Optimizer[]) => ({ depth: 1, layerDecay: 1, weightDecay: 0, optimizers });
const folder = temporaryFolder();
const paths = { checkpoint: join(folder.path, 'checkpoint'), previousCheckpoint: join(folder.path, 'previous') };

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterAll(() => {
  folder.remove();
});

/** One step on the loss Σ w²/2, whose gradient is w. */
function step(state: TrainingState): void {
  const loss = (): tf.Scalar => tf.mul(tf.sum(tf.square(state.parameters.get('w')!)), 0.5);
  trainStep({ recipe: {}, stepsPerEpoch: 1, loss, tensors: () => [] }, SCHEDULE, state, [null], new Repeated());
  state.losses.push(0);
}

const valuesOf = (variable: tf.Variable | undefined): number[] => [...variable!.dataSync()];

it('another optimiser updates weights by its own state', () => {
  const state = freshState(VALUES, optionsWith(MOMENTUM));
  step(state);
  // By hand: v = w = 5, w = 5 − .1·5 = 4.5; then v = .5·5 + 4.5 = 7, w = 4.5 − .7 = 3.8.
  step(state);
  expect(valuesOf(state.parameters.get('w'))[0]).toBeCloseTo(3.8, 5);
  expect(valuesOf(state.groups.get('optimizer.velocity')!.get('w'))[0]).toBeCloseTo(7, 5);
  disposeState(state);
});

it.each([
  ['sgd', sgd({ momentum: 0.5 })],
  ['lars', lars({ momentum: 0.5 })],
])('%s reads the rate of a step from its inputs, so a device may record the step', (_, optimizer) => {
  const updated = (learningRate: number): number[] => {
    const state = freshState(VALUES, optionsWith(optimizer));
    const inputs = optimizer.inputs({ learningRate: 0.1, step: 1 });
    optimizer.update(state.trained, [tf.tensor1d([5, -1])], { learningRate, step: 1 }, inputs);
    const values = valuesOf(state.parameters.get('w'));
    disposeState(state);
    return values;
  };
  expect(updated(NaN)).toEqual(updated(0.1));
  expect(updated(NaN)[0]).toBeCloseTo(4.5, 5);
});

it('averaged weights begin with the weights and follow the updated ones', () => {
  const state = freshState(VALUES, optionsWith(MOMENTUM, AVERAGE));
  expect(valuesOf(state.groups.get('average')!.get('w'))).toEqual([5, -1]);
  step(state);
  expect(valuesOf(state.groups.get('average')!.get('w'))[0]).toBeCloseTo(0.75 * 5 + 0.25 * 4.5, 5);
  disposeState(state);
});

it('a checkpoint keeps each group under its name, and a training continues from all of them', async () => {
  const options = optionsWith(adamW({ beta1: 0.9, beta2: 0.95 }), AVERAGE);
  const state = freshState(VALUES, options);
  step(state);
  await saveState(paths, PLAN, state);
  expect([...readSafetensors(paths.checkpoint).tensors.keys()].sort()).toEqual([
    'average.w',
    'optimizer.first.w',
    'optimizer.second.w',
    'progress.largest_gradient_norm',
    'progress.loss_sum',
    'w',
  ]);
  const resumed = loadState(paths.checkpoint, PLAN, options);
  step(state);
  step(resumed);
  for (const group of ['average', 'optimizer.first', 'optimizer.second']) {
    expect(valuesOf(resumed.groups.get(group)!.get('w'))).toEqual(valuesOf(state.groups.get(group)!.get('w')));
  }
  expect(valuesOf(resumed.parameters.get('w'))).toEqual(valuesOf(state.parameters.get('w')));
  disposeState(state);
  disposeState(resumed);
});

it('a checkpoint with other groups is rejected', () => {
  expect(() => loadState(paths.checkpoint, PLAN, optionsWith(MOMENTUM))).toThrow('the model has no optimizer.first.w');
});

interface Content {
  tensors: Map<string, { shape: number[]; data: Float32Array }>;
  metadata: Record<string, string>;
}

/** Writes the checkpoint again after a change, with a correct digest. */
async function rewrite(change: (file: Content) => void): Promise<string> {
  const { tensors, metadata } = readSafetensors(paths.checkpoint);
  const content: Content = { tensors: new Map(tensors), metadata };
  change(content);
  const sources = [...content.tensors].map(([name, { shape, data }]) => [name, { shape, read: () => data }] as const);
  const path = join(folder.path, 'changed');
  await writeSafetensors(path, new Map(sources), content.metadata);
  return path;
}

describe('the weights of a checkpoint', () => {
  it.each([
    ['AdamW and averages', [adamW({ beta1: 0.9, beta2: 0.95 }), AVERAGE]],
    ['another optimiser', [MOMENTUM]],
    ['no state', []],
  ])('are read, of any optimiser: %s', async (_, optimizers) => {
    const state = freshState(VALUES, optionsWith(...optimizers));
    await saveState(paths, PLAN, state);
    const groups = state.groups.size;
    disposeState(state);
    expect(readWeights(paths.checkpoint, PLAN).weights).toEqual(VALUES);
    const { tensors } = readSafetensors(paths.checkpoint);
    const bytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(bytes).toBe(checkpointBytes(PLAN.shapes, groups));
  });

  it('are those of AdamW if an earlier version did not list the groups', async () => {
    const state = freshState(VALUES, { depth: 1, layerDecay: 1, weightDecay: 0 });
    await saveState(paths, PLAN, state);
    disposeState(state);
    const path = await rewrite(({ metadata }) => delete metadata.groups);
    expect(readWeights(path, PLAN).weights).toEqual(VALUES);
  });

  it.each<[string, string, (file: Content) => void]>([
    ['a tensor of a group is missing', 'it has no average.w', ({ tensors }) => tensors.delete('average.w')],
    ['a group is not listed', 'the model has no average.w', ({ metadata }) => (metadata.groups = '[]')],
    [
      'a group is listed that it does not have',
      'it has no x.w',
      ({ metadata }) => (metadata.groups = '["average","x"]'),
    ],
    [
      'the list is not one',
      'its groups of tensors are not a list of names',
      ({ metadata }) => (metadata.groups = '[1]'),
    ],
    [
      'a group has a tensor of a parameter that the model does not have',
      'the model has no average.v',
      ({ tensors }) => tensors.set('average.v', tensors.get('average.w')!),
    ],
  ])('are damaged if %s, although the digest is correct', async (_, message, change) => {
    const state = freshState(VALUES, optionsWith(AVERAGE));
    await saveState(paths, PLAN, state);
    disposeState(state);
    const path = await rewrite(change);
    expect(() => readWeights(path, PLAN)).toThrow(CorruptFileError);
    expect(() => readWeights(path, PLAN)).toThrow(message);
  });
});
