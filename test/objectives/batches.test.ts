/**
 * A batch degraded on the device equals the batch of the images degraded one by one as arrays. The arrays use float64
 * in between, so the two differ by the rounding of float32: 1e-5 for values up to 3, in images as smooth as
 * photographs.
 */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { stackPixels, type FloatImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import { composeObjective, type Batch, type Draw, type Example, type Objective } from '../../src/objectives/compose.js';
import type { Style, Task } from '../../src/spec/task.js';
import { availableDevices } from '../support/devices.js';
import { BLUR, GEOMETRIES, photograph, STYLES, taskOf, tokensOf } from './support.js';

const ALL_STYLES: Record<string, Style> = {
  ...STYLES,
  'blurred with all options': { ...BLUR, kernelSize: 7, mixChannels: false, unitGain: true, clip: true },
  'paler colours': { kind: 'decolorized', variant: 'saturation', saturation: 0.3 },
  'a random mix': { kind: 'decolorized', variant: 'random-mix', normalizeMix: false },
};

const TASKS: [string, Task][] = [
  ...Object.entries(GEOMETRIES).flatMap(([name, geometry]) =>
    [0, 0.75].map((maskRatio): [string, Task] => [`${name}, mask ${maskRatio}`, taskOf({ geometry, maskRatio })]),
  ),
  ...Object.entries(ALL_STYLES).map(([name, style]): [string, Task] => [name, taskOf({ style })]),
  ['all three parts', taskOf({ geometry: GEOMETRIES.distorted, style: BLUR, maskRatio: 0.5 })],
];

const SIZES = [
  { imageSize: 16, patchSize: 4 },
  { imageSize: 15, patchSize: 5 },
  { imageSize: 96, patchSize: 16 },
];

const IMAGES = 3;

const devices = await availableDevices();

/** Images with their draws and each degraded as an array: the same for every device. */
function oneByOne(name: string, objective: Objective) {
  const before = known.get(name);
  if (before !== undefined) return before;
  const images = Array.from({ length: IMAGES }, (_, i) => photograph(objective.fieldSize, `image/${i}`));
  const draws = images.map((_, i) => objective.draw(stream(1, 'draw', i)));
  const made = { images, draws, examples: images.map((image, i) => objective.apply(image, draws[i]!)) };
  known.set(name, made);
  return made;
}

const known = new Map<string, { images: FloatImage[]; draws: Draw[]; examples: Example[] }>();

describe.each(devices)('on %s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(name);
  });
  afterAll(() => {
    device.close();
  });

  describe.each(SIZES)('$imageSize px', (sizes) => {
    it.each(TASKS)('%s', async (label, task) => {
      const objective = composeObjective(task, sizes);
      const { fieldSize } = objective;
      const { images, draws, examples } = oneByOne(`${label} ${sizes.imageSize}`, objective);
      const before = tf.memory().numTensors;

      const expected = objective.batch(examples);
      const fields = tf.tensor4d(stackPixels(images), [IMAGES, fieldSize, fieldSize, 3]);
      const actual = objective.applyToBatch(fields, draws);
      expect(actual.selection?.kept).toBe(expected.selection?.kept);
      expect(await difference(actual.inputs, expected.inputs)).toBeLessThan(1e-5);
      expect(await difference(actual.fields, expected.fields)).toBe(0);
      const prediction = tokensOf(objective, IMAGES, (i) => Math.sin(3 * i));
      const lossOf = (batch: Batch): tf.Tensor => tf.tidy(() => batch.loss(prediction));
      const [a, b] = [lossOf(actual), lossOf(expected)];
      expect(await difference(a, b)).toBeLessThan(1e-5);

      tf.dispose([prediction, a, b]);
      expected.dispose();
      actual.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

async function difference(actual: tf.Tensor, expected: tf.Tensor): Promise<number> {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [await actual.data<'float32'>(), await expected.data<'float32'>()];
  return b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);
}
