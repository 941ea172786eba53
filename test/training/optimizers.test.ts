/** Optimisers that are not part of vitmim: an invented one, and averaged weights that follow AdamW's. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { Repeated } from '../../src/ops/index.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { trainStep } from '../../src/training/loop.js';
import { adamW } from '../../src/training/optimizers/adamw.js';
import type { Optimizer } from '../../src/training/optimizers/optimizer.js';
import { disposeState, freshState, loadState, saveState, type TrainingState } from '../../src/training/state.js';
import { temporaryFolder } from '../support/cli.js';

/** SGD with momentum .5: one group of velocities. */
const MOMENTUM: Optimizer = {
  groups: [{ name: 'optimizer.velocity', initial: 'zeros' }],
  inputs: ({ learningRate }) => [tf.scalar(learningRate)],
  update: (parameters, gradients, _rates, [rate]) => {
    parameters.forEach(({ value, state }, i) => {
      const velocity = state('optimizer.velocity');
      velocity.assign(tf.add(tf.mul(velocity, 0.5), gradients[i]!));
      value.assign(tf.sub(value, tf.mul(velocity, rate!)));
    });
  },
};

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
