/**
 * Blurred (d): one random convolution for each image. In the paper it also mixes the three channels and amplifies their
 * contrast about threefold (PAPER.md §3). The paper's constant bias is omitted (§8).
 */
import { z } from 'zod';
import { IMAGENET_MEAN, IMAGENET_STD, type FloatImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';
import { count, nonNegative } from '../../common/values.js';
import { newPixels } from '../../common/working-memory.js';
import type { StyleEntry } from '../entry.js';

export interface Blurred {
  kind: 'blurred';
  /** Odd side of the random kernel, in pixels. */
  kernelSize: number;
  /** Standard deviation of a weight as a multiple of its mean 1/kernelSize². */
  relativeStd: number;
  /** True: 3 → 3 channels, as in the paper. False: one kernel for each channel. */
  mixChannels: boolean;
  /** True: each output channel's weights are divided by their sum, so that brightness is kept. */
  unitGain: boolean;
  /** True: the result is clipped to the pixel range [0, 1]. */
  clip: boolean;
}

const strengths = z.strictObject({
  kernelSize: z
    .union([z.literal('auto'), count.min(3).refine((size) => size % 2 === 1, 'expected an odd kernel size')])
    .default('auto')
    .describe('Side of the random kernel; auto: 7 at patch 16, scaled with the patch otherwise (odd, at least 3).'),
  relativeStd: nonNegative
    .default(0.98)
    .describe('Standard deviation of a weight as a multiple of its mean 1/k²; 0.98 is 0.02 at 7×7.'),
  mixChannels: z.boolean().default(true).describe('One 3→3 kernel (the paper), or one kernel a channel.'),
  unitGain: z.boolean().default(false).describe('Divide the weights by their sum; the paper does not.'),
  clip: z.boolean().default(false).describe('Clip the result to the range of pixels; the paper does not.'),
});

export const blurred: StyleEntry<'blurred', typeof strengths, Blurred, BlurKernel> = {
  name: 'blurred',
  description: 'a random convolution',
  strengths,
  resolve: ({ kernelSize, ...rest }, { patchSize }) => ({
    kind: 'blurred',
    kernelSize: kernelSize === 'auto' ? blurKernelSize(patchSize) : kernelSize,
    ...rest,
  }),
  conflict({ kernelSize }, { imageSize }) {
    if (kernelSize <= imageSize) return undefined;
    const key = 'degradation.blurred.kernelSize';
    return {
      keys: [key, 'model.patchSize', 'data.imageSize'],
      message: `a blur kernel of ${kernelSize} px is larger than images of ${imageSize} px; lower ${key}`,
    };
  },
  part: (style) => ({
    draw: (random) => drawKernel(style, random),
    restyle(image, kernel) {
      const result = convolve(image, kernel);
      return style.clip ? clipToPixels(result) : result;
    },
    restyleBatch({ tf, ops }, images, kernels) {
      const { size } = kernels[0]!;
      const values = new Float32Array(kernels.length * 9 * size * size);
      kernels.forEach(({ weights }, i) => {
        values.set(weights, i * weights.length);
      });
      const result = ops.convolveEach(images, tf.tensor(values, [kernels.length, 3, 3, size, size]));
      return style.clip ? tf.maximum(tf.minimum(result, tf.tensor1d(WHITE)), tf.tensor1d(BLACK)) : result;
    },
  }),
};

/** Side of the blur kernel: 7 at patch 16, in proportion otherwise, odd and at least 3 (PAPER.md §13: 3 at patch 4). */
export function blurKernelSize(patchSize: number): number {
  return Math.max(3, 2 * Math.floor((7 * patchSize) / 32) + 1);
}

/** A convolution from 3 to 3 channels. */
export interface BlurKernel {
  /** Odd side k. */
  readonly size: number;
  /** [3 outputs, 3 inputs, k, k] */
  readonly weights: Float32Array;
}

/**
 * Draws the weights of one image, each from N(1/k², (relativeStd/k²)²).
 *
 * With `unitGain` each output channel's weights are divided by their sum. A draw with a sum below half of its
 * expectation is repeated: dividing by it would amplify the noise or invert the image.
 */
export function drawKernel(style: Omit<Blurred, 'kind' | 'clip'>, random: Random): BlurKernel {
  const area = style.kernelSize ** 2;
  const weights = new Float32Array(9 * area);
  for (let output = 0; output < 3; output++) {
    const inputs = style.mixChannels ? 3 : 1;
    const from = (output * 3 + (style.mixChannels ? 0 : output)) * area;
    const own = weights.subarray(from, from + inputs * area);
    let gain: number;
    do {
      gain = 0;
      for (let i = 0; i < own.length; i++) gain += own[i] = random.normal(1 / area, style.relativeStd / area);
    } while (style.unitGain && gain < inputs / 2);
    if (style.unitGain) own.set(own.map((weight) => weight / gain));
  }
  return { size: style.kernelSize, weights };
}

/** Convolves at stride 1 with zero padding; the kernel is not flipped, as in PyTorch. Keeps the size, 2×2 at least. */
export function convolve(image: FloatImage, { size, weights }: BlurKernel): FloatImage {
  const { height, width } = image;
  const margin = (size - 1) / 2;
  const stride = (width + 2 * margin) * 3;
  const padded = newPixels((height + 2 * margin) * stride).fill(0);
  for (let y = 0; y < height; y++) {
    padded.set(image.data.subarray(y * width * 3, (y + 1) * width * 3), (y + margin) * stride + margin * 3);
  }

  // Reordered to [k, k, input, output]: the order of the loop below.
  const area = size * size;
  const taps = newPixels(9 * area);
  for (let i = 0; i < taps.length; i++) {
    const [tap, input, output] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
    taps[i] = weights[(output * 3 + input) * area + tap]!;
  }

  // Two pixels at a time, so that each weight is read once for both: twice as fast. If the width is odd, the last pair
  // computes one pixel again.
  const data = newPixels(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let pair = 0; pair < width; pair += 2) {
      const x = Math.min(pair, width - 2);
      let red0 = 0;
      let green0 = 0;
      let blue0 = 0;
      let red1 = 0;
      let green1 = 0;
      let blue1 = 0;
      let tap = 0;
      for (let u = 0; u < size; u++) {
        const from = (y + u) * stride + x * 3;
        for (let i = from; i < from + 3 * size; i++, tap += 3) {
          const red = taps[tap]!;
          const green = taps[tap + 1]!;
          const blue = taps[tap + 2]!;
          const value0 = padded[i]!;
          const value1 = padded[i + 3]!;
          red0 += red * value0;
          green0 += green * value0;
          blue0 += blue * value0;
          red1 += red * value1;
          green1 += green * value1;
          blue1 += blue * value1;
        }
      }
      const to = (y * width + x) * 3;
      data[to] = red0;
      data[to + 1] = green0;
      data[to + 2] = blue0;
      data[to + 3] = red1;
      data[to + 4] = green1;
      data[to + 5] = blue1;
    }
  }
  return { data, height, width };
}

/** Pixels of 0 and of 1, ImageNet-normalised. */
const BLACK = IMAGENET_MEAN.map((mean, c) => -mean / IMAGENET_STD[c]!);
const WHITE = IMAGENET_MEAN.map((mean, c) => (1 - mean) / IMAGENET_STD[c]!);

/** Clips an ImageNet-normalised image to the range of pixels in [0, 1]. Changes the image in place. */
function clipToPixels(image: FloatImage): FloatImage {
  image.data.forEach((value, i) => {
    image.data[i] = Math.min(Math.max(value, BLACK[i % 3]!), WHITE[i % 3]!);
  });
  return image;
}
