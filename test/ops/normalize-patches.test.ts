/** Target tokens and the inverse. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import { denormalizeImage, normalizeImage, stackPixels, type FloatImage } from '../../src/common/image.js';
import { denormalizePatches, normalizePatches } from '../../src/ops/index.js';
import { deviation, imageOf, mean, noise, read } from '../objectives/support.js';
import { availableDevices } from '../support/devices.js';

const NORMALIZATIONS = ['patch-channel', 'patch', 'none'] as const;
const tensorOf = ({ data, height, width }: FloatImage): tf.Tensor4D => tf.tensor4d(data, [1, height, width, 3]);
const targets = (image: FloatImage, ...rest: [number, (typeof NORMALIZATIONS)[number]]): number[] =>
  read(() => normalizePatches(tensorOf(image), ...rest));

beforeAll(() => tf.setBackend('cpu'));

it('normalises each patch and channel with the unbiased variance', () => {
  const image = noise(8, 'image');
  const tokens = targets(image, 4, 'patch-channel');
  // Token 1, channel 2: rows 0 … 3, columns 4 … 7.
  const pixels = Array.from({ length: 16 }, (_, i) => image.data[(Math.floor(i / 4) * 8 + 4 + (i % 4)) * 3 + 2]!);
  const std = deviation(pixels) * Math.sqrt(16 / 15);
  pixels.forEach((pixel, i) => {
    expect(tokens[48 + i * 3 + 2]).toBeCloseTo((pixel - mean(pixels)) / (std + 1e-6), 4);
  });
});

it("normalises each patch as a whole as in MAE: ImageNet's units, ε inside the root", () => {
  // A deviation near √ε, so that the position of ε matters.
  const image = denormalizeImage(imageOf(4, (y, x, c) => 1e-3 * (y - x + c / 2)));
  const values = [...normalizeImage(image).data];
  const variance = (deviation(values) ** 2 * 48) / 47;
  const tokens = targets(image, 4, 'patch');
  values.forEach((value, i) => {
    expect(tokens[i]).toBeCloseTo((value - mean(values)) / Math.sqrt(variance + 1e-6), 3);
  });
});

it('normalises only by ImageNet statistics without patch normalisation', () => {
  const image = noise(4, 'image');
  const expected = normalizeImage(image).data;
  targets(image, 4, 'none').forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5);
  });
});

it.each([0, 0.3, 1 / 3, 0.7, 1])('gives zeros for a flat patch of value %d', (value) => {
  const flat = imageOf(16, () => value);
  expect(targets(flat, 16, 'patch-channel').every((target) => target === 0)).toBe(true);
  // In ImageNet's units the channels differ, so for MAE's only finiteness is checked.
  expect(targets(flat, 16, 'patch').every(Number.isFinite)).toBe(true);
});

it('does not magnify the noise that resampling leaves outside the range of pixels', () => {
  const saturated = imageOf(8, (y, x, c) => ((y + x + c) % 2 === 0 ? 1 : 1 + 1.2e-7));
  const black = imageOf(8, (y, x, c) => ((y + x + c) % 2 === 0 ? 0 : -1e-7));
  for (const image of [saturated, black]) expect(new Set(targets(image, 4, 'patch-channel'))).toEqual(new Set([0]));
});

it('gives a zero prediction the loss (n − 1)/n: 255/256 at patch 16, 15/16 at patch 4', () => {
  for (const patch of [16, 4]) {
    const tokens = targets(noise(32, 'image'), patch, 'patch-channel');
    expect(mean(tokens.map((value) => value ** 2))).toBeCloseTo(1 - 1 / patch ** 2, 4);
  }
});

it.each(NORMALIZATIONS)('recovers the image from its own targets (%s)', (normalization) => {
  const image = noise(8, 'image');
  const pixels = read(() => {
    const pictures = tensorOf(image);
    return denormalizePatches(normalizePatches(pictures, 4, normalization), pictures, 4, normalization);
  });
  expect(Math.max(...pixels.map((value, i) => Math.abs(value - image.data[i]!)))).toBeLessThan(1e-5);
});

it('gives zero tokens the colour of their patches and clips values outside [0, 1]', () => {
  const pictures = tensorOf(imageOf(4, (y) => (y < 2 ? 0.2 : 0.6)));
  for (const value of read(() => denormalizePatches(tf.zeros([1, 1, 48]), pictures, 4, 'patch-channel'))) {
    expect(value).toBeCloseTo(0.4, 5);
  }
  expect(read(() => denormalizePatches(tf.fill([1, 1, 48], 9), pictures, 4, 'patch-channel'))).toEqual(
    new Array<number>(48).fill(1),
  );
});

describe.each(await availableDevices())('on %s', (name) => {
  /** Two images: a photograph with some values outside [0, 1], and one with a flat half. */
  const pair = (size: number): FloatImage[] => [
    imageOf(size, (y, x, c) => 0.5 + 0.6 * Math.sin(3 * y + 2 * x * (c + 1))),
    imageOf(size, (y, x, c) => (x < size / 2 ? 0.3 : (y * 7 + x * 3 + c) % 5) / 4),
  ];

  it.each([2, 3, 4, 16].flatMap((patch) => NORMALIZATIONS.map((normalization) => [patch, normalization] as const)))(
    'equals the plain form, patches of %i px, %s',
    async (patch, normalization) => {
      const size = 3 * patch;
      const values = stackPixels(pair(size));
      const make = (): tf.Tensor3D => normalizePatches(tf.tensor4d(values, [2, size, size, 3]), patch, normalization);
      await tf.setBackend('cpu');
      const expected = read(make);
      const device = await openDevice(name);
      const tensor = tf.tidy(make);
      const actual = [...(await tensor.data())];
      tensor.dispose();
      device.close();
      await tf.setBackend('cpu');
      expect(actual.map((value, i) => Math.abs(value - expected[i]!)).reduce((a, b) => Math.max(a, b))).toBeLessThan(
        1e-5,
      );
      if (normalization === 'patch-channel')
        expect(actual.filter((value) => value === 0).length).toBeGreaterThan(patch ** 2 * 3);
    },
  );
});
