/** The random kernels of blurred, and the convolution. */
import { IMAGENET_MEAN, IMAGENET_STD } from '../../../src/common/image.js';
import { stream } from '../../../src/common/random.js';
import { blurred, convolve, drawKernel, type BlurKernel } from '../../../src/task/styles/blurred.js';
import { BLUR, deviation, imageOf, mean, noise, restyled } from '../../objectives/support.js';

const PAPER = { kernelSize: 7, relativeStd: 0.98, mixChannels: true, unitGain: false };

/** Sum of the weights of each output channel. */
const gains = ({ weights, size }: BlurKernel): number[] =>
  [0, 1, 2].map((o) => weights.slice(o * 3 * size * size, (o + 1) * 3 * size * size).reduce((a, b) => a + b, 0));

it("draws the paper's weights: N(1/49, 0.02), gain 3 ± 0.24", () => {
  const random = stream(0, 'kernels');
  const kernels = Array.from({ length: 2000 }, () => drawKernel(PAPER, random));
  expect(kernels[0]!.weights).toHaveLength(3 * 3 * 7 * 7);
  const weights = kernels.slice(0, 200).flatMap((kernel) => [...kernel.weights]);
  expect(mean(weights)).toBeCloseTo(1 / 49, 3);
  expect(deviation(weights)).toBeCloseTo(0.02, 3);
  const all = kernels.flatMap(gains);
  expect(Math.abs(mean(all) - 3)).toBeLessThan(0.015);
  expect(Math.abs(deviation(all) - 0.2425)).toBeLessThan(0.01);
});

it('keeps the ratio of deviation to mean at other sizes', () => {
  const random = stream(0, 'small kernels');
  const weights = Array.from({ length: 500 }, () => [
    ...drawKernel({ ...PAPER, kernelSize: 3 }, random).weights,
  ]).flat();
  expect(mean(weights)).toBeCloseTo(1 / 9, 2);
  expect(deviation(weights)).toBeCloseTo(0.109, 2);
});

it('has one kernel for each channel without mixing', () => {
  const { weights } = drawKernel({ ...PAPER, mixChannels: false }, stream(0, 'apart'));
  for (let o = 0; o < 3; o++) {
    for (let i = 0; i < 3; i++) {
      const part = weights.slice((o * 3 + i) * 49, (o * 3 + i + 1) * 49);
      expect(part.some((weight) => weight !== 0)).toBe(o === i);
    }
  }
});

it.each([true, false])('sums to 1 in each output channel with unit gain (mixing: %s)', (mixChannels) => {
  const random = stream(0, 'unit');
  for (let i = 0; i < 300; i++) {
    const kernel = drawKernel({ kernelSize: 3, relativeStd: 2, mixChannels, unitGain: true }, random);
    for (const gain of gains(kernel)) expect(gain).toBeCloseTo(1, 5);
    // Division by a tiny sum would have produced very large weights.
    expect(Math.max(...kernel.weights.map(Math.abs))).toBeLessThan(3);
  }
});

it('returns 3v on a grey image of value v, away from the borders, at deviation 0', () => {
  const grey = imageOf(12, () => 0.4);
  const { data } = convolve(grey, drawKernel({ ...PAPER, relativeStd: 0 }, stream(0, 'flat')));
  const at = (y: number, x: number): number => data[(y * 12 + x) * 3]!;
  expect(at(5, 6)).toBeCloseTo(1.2, 6);
  expect(at(3, 8)).toBeCloseTo(1.2, 6);
  // 4 of 7 rows and columns are inside at the corner; the rest is zero padding.
  expect(at(0, 0)).toBeCloseTo((1.2 * 16) / 49, 6);
});

it.each([
  [8, 3],
  [9, 5], // odd width: the last pair of pixels overlaps
  [4, 7], // kernel wider than the image
])('convolves a %d px image by the definition, kernel %d', (size, kernelSize) => {
  const image = noise(size, 'image');
  const kernel = drawKernel({ ...PAPER, kernelSize }, stream(1, 'kernel'));
  const margin = (kernelSize - 1) / 2;
  const expected = imageOf(size, (y, x, o) => {
    let sum = 0;
    for (let i = 0; i < 3; i++) {
      for (let u = 0; u < kernelSize; u++) {
        for (let v = 0; v < kernelSize; v++) {
          const [row, column] = [y + u - margin, x + v - margin];
          if (row < 0 || row >= size || column < 0 || column >= size) continue;
          const weight = kernel.weights[((o * 3 + i) * kernelSize + u) * kernelSize + v]!;
          sum += weight * image.data[(row * size + column) * 3 + i]!;
        }
      }
    }
    return sum;
  });
  const { data } = convolve(image, kernel);
  expect(Math.max(...data.map((value, i) => Math.abs(value - expected.data[i]!)))).toBeLessThan(1e-6);
});

it('clips to the range of pixels only if requested', () => {
  const image = imageOf(10, () => 2); // beyond white, ImageNet-normalised
  const high = IMAGENET_MEAN.map((mean_, c) => (1 - mean_) / IMAGENET_STD[c]!);
  const clipped = restyled(blurred.part({ ...BLUR, clip: true }), image, stream(0, 'clip')).data;
  expect(clipped.every((value, i) => value <= Math.fround(high[i % 3]!))).toBe(true);
  expect(clipped.some((value, i) => value === Math.fround(high[i % 3]!))).toBe(true);
  expect(Math.max(...restyled(blurred.part(BLUR), image, stream(0, 'clip')).data)).toBeGreaterThan(4);
});
