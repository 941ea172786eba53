/** Hundreds of steps leak nothing: no tensors, no memory of the device, no memory of the process. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import type { SimdBackend } from '../../src/backends/simd/backend.js';
import { openDevice } from '../../src/backends/open.js';
import { initialValues } from '../../src/model/parameters.js';
import { predict } from '../../src/model/vit.js';
import { drawKept } from '../../src/task/masks/random.js';
import { stream } from '../../src/common/random.js';
import { adamW, tokenSelection, tokenSquaredError } from '../../src/ops/index.js';
import { resolveModel } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';
import { meanGradients } from '../../src/training/gradients.js';
import { freshState } from '../../src/training/state.js';
import { availableDevices } from '../support/devices.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * The resident size jumps by tens of MiB when Node's heap or the C library's arenas grow, which happens rarely and is
 * permanent. A leak grows in every window; therefore the test checks the smallest growth of several windows.
 */
const WINDOWS = 3;
/** TensorFlow takes 30 ms, and simd 2 ms: every op of TensorFlow is a separate call. */
const WINDOW_STEPS = { simd: 300, tensorflow: 60 };
/** Before the first window: then all tensors and blocks of memory that a step uses are there. */
const WARM_UP_STEPS = 20;
/** MiB per window: a leak of 14 kB per step on simd, or of 70 kB on tensorflow. */
const ALLOWED_GROWTH = 4;
const model = resolveModel(
  modelSchema.parse({ dim: 24, depth: 1, heads: 2, decoder: { dim: 16, depth: 1, heads: 2 } }),
  16,
);

const devices = (await availableDevices()).filter((name) => name === 'simd' || name === 'tensorflow');

it.each(devices)('hundreds of steps on %s', async (name) => {
  const device = await openDevice(name, { threads: 1 });
  /** Statistics of the device's own memory; TensorFlow uses that of the process. */
  const heap = (): unknown => (name === 'simd' ? (tf.backend() as unknown as SimdBackend).heap.statistics : null);
  const state = freshState(initialValues(model, { for: 'pretraining', masked: true }, 0), {
    depth: model.depth,
    layerDecay: 1,
    weightDecay: 0.05,
  });
  const slots = state.trained.map(({ value, rateScale, weightDecay, state: of }) => {
    return { value, rateScale, weightDecay, first: of('optimizer.first'), second: of('optimizer.second') };
  });
  const variables = slots.map(({ value }) => value);

  const step = (index: number): number =>
    tf.tidy(() => {
      const images = tf.randomNormal<tf.Rank.R4>([4, 16, 16, 3]);
      const kept = Array.from({ length: 4 }, (_, i) => drawKept(16, 4, stream(index, i)));
      const selection = tokenSelection(kept, 16);
      const target = tf.ones<tf.Rank.R3>([4, 16, 48]);
      const { loss, gradients } = meanGradients(
        [images],
        (x) => tokenSquaredError(predict(state.parameters, model, x, selection), target, selection.removed),
        variables,
      );
      const rates = { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, step: index, gradientScale: 1 };
      adamW(slots, gradients, rates);
      return loss.dataSync()[0]!;
    });
  const measure = (): { tensors: number; heap: unknown; resident: number } => {
    collectGarbage(); // otherwise Node's own heap would be included, which grows by a hundred MiB between collections
    return {
      tensors: tf.memory().numTensors,
      heap: heap(),
      resident: process.memoryUsage().rss / 2 ** 20,
    };
  };

  let index = 0;
  const run = (steps: number): void => {
    for (const end = index + steps; index < end;) step(++index);
  };
  run(WARM_UP_STEPS);
  const before = measure();
  const resident = [before.resident];
  let after = before;
  for (let window = 0; window < WINDOWS; window++) {
    run(WINDOW_STEPS[name]);
    after = measure();
    resident.push(after.resident);
  }
  device.close();
  expect(after.tensors).toBe(before.tensors);
  expect(after.heap).toEqual(before.heap);
  const growths = resident.slice(1).map((size, window) => size - resident[window]!);
  expect(Math.min(...growths)).toBeLessThan(ALLOWED_GROWTH);
});
