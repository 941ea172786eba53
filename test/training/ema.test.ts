/** The moving average of the weights against numbers by hand; test/parity/training.test.ts compares it with timm's. */
import * as tf from '@tensorflow/tfjs';
import { ema } from '../../src/training/optimizers/ema.js';
import { disposeState, freshState, parametersWith } from '../../src/training/state.js';

const VALUES = new Map([
  ['w', { shape: [2], data: Float32Array.of(1, -2) }],
  ['pos_embed', { shape: [1, 1], data: Float32Array.of(7) }],
]);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('follows the weights by one minus the decay, and leaves fixed tables', () => {
  const average = ema(0.75);
  const state = freshState(VALUES, { depth: 1, layerDecay: 1, weightDecay: 0, optimizers: [average] });
  const averaged = parametersWith(state, 'average');
  const before = tf.memory().numTensors;
  for (const weights of [
    [5, -2],
    [1, 6],
  ]) {
    tf.tidy(() => {
      state.parameters.get('w')!.assign(tf.tensor1d(weights));
      average.update(state.trained, [], { learningRate: 1, step: 1 }, []);
    });
  }
  // ¾·1 + ¼·5 = 2, then ¾·2 + ¼·1 = 1.75; ¾·−2 + ¼·−2 = −2, then ¾·−2 + ¼·6 = 0.
  expect([...averaged.get('w')!.dataSync()]).toEqual([1.75, 0]);
  expect([...state.parameters.get('w')!.dataSync()]).toEqual([1, 6]);
  expect(averaged.get('pos_embed')).toBe(state.parameters.get('pos_embed'));
  expect(tf.memory().numTensors).toBe(before);
  disposeState(state);
});
