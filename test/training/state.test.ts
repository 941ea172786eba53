/** What a checkpoint keeps of a training, and what it gives back. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { readSafetensors } from '../../src/training/safetensors.js';
import { disposeState, freshState, loadState, readWeights, saveState } from '../../src/training/state.js';
import { temporaryFolder } from '../support/cli.js';

const OPTIONS = { depth: 1, layerDecay: 1, weightDecay: 0.05 };
const WEIGHTS = new Map([
  ['blocks.0.attn.qkv.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['pos_embed', { shape: [1, 2], data: Float32Array.of(0.5, -0.5) }],
]);

const folder = temporaryFolder();
const paths = { checkpoint: join(folder.path, 'checkpoint'), previousCheckpoint: join(folder.path, 'previous') };
beforeAll(async () => {
  await tf.setBackend('cpu');
  const state = freshState(WEIGHTS, OPTIONS);
  state.step = 7;
  state.losses = [0.75];
  state.firstLoss = 0.1 + 0.2;
  state.lossSum.assign(tf.scalar(2.5));
  state.largestGradientNorm.assign(tf.scalar(12.25));
  await saveState(paths, 'stage', state);
  disposeState(state);
});
afterAll(() => {
  folder.remove();
});

it('starts with no loss and a gradient norm of 0', () => {
  const state = freshState(WEIGHTS, OPTIONS);
  expect(state.firstLoss).toBeNull();
  expect(state.largestGradientNorm.dataSync()[0]).toBe(0);
  disposeState(state);
});

it('gives back the progress that it kept', () => {
  const state = loadState(paths.checkpoint, 'stage', OPTIONS);
  expect(state).toMatchObject({ step: 7, losses: [0.75], firstLoss: 0.1 + 0.2 });
  expect(state.lossSum.dataSync()[0]).toBe(2.5);
  expect(state.largestGradientNorm.dataSync()[0]).toBe(12.25);
  disposeState(state);
});

it('keeps weights under their own names, and everything else in named groups', () => {
  expect([...readSafetensors(paths.checkpoint).tensors.keys()].sort()).toEqual([
    'blocks.0.attn.qkv.weight',
    'optimizer.first.blocks.0.attn.qkv.weight',
    'optimizer.second.blocks.0.attn.qkv.weight',
    'pos_embed',
    'progress.largest_gradient_norm',
    'progress.loss_sum',
  ]);
  expect(readWeights(paths.checkpoint)).toEqual(WEIGHTS);
});
