/**
 * De-colorized (e), in the paper's three versions (PAPER.md §3). Luminance and saturation are computed from pixels in
 * [0, 1]; the random mix is computed from ImageNet-normalised channels, as in the paper's code.
 */
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { denormalizeImage, normalizeImage, type FloatImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';
import { probability } from '../../common/values.js';
import { newPixels } from '../../common/working-memory.js';
import type { ColourMap } from '../../ops/index.js';
import type { StyleEntry, StylePart } from '../entry.js';
import type { Tensors } from '../tensors.js';

export type Decolorized =
  | { kind: 'decolorized'; variant: 'luminance' }
  | { kind: 'decolorized'; variant: 'saturation'; saturation: number }
  | { kind: 'decolorized'; variant: 'random-mix'; normalizeMix: boolean };

const strengths = z.strictObject({
  variant: z
    .enum(['luminance', 'saturation', 'random-mix'])
    .default('luminance')
    .describe('Rec. 601 grey; a lower HSV saturation; or a random mix of the channels.'),
  saturation: probability.default(0.3).describe('Factor of the saturation variant.'),
  normalizeMix: z.boolean().default(false).describe('Scale the weights of a random mix to sum 1.'),
});

export const decolorized: StyleEntry<'decolorized', typeof strengths, Decolorized, Weights> = {
  name: 'decolorized',
  description: 'less colour, or none',
  strengths,
  resolve({ variant, saturation, normalizeMix }) {
    switch (variant) {
      case 'luminance':
        return { kind: 'decolorized', variant };
      case 'saturation':
        return { kind: 'decolorized', variant, saturation };
      case 'random-mix':
        return { kind: 'decolorized', variant, normalizeMix };
    }
  },
  part: partOf,
};

function partOf(style: Decolorized): StylePart<Weights> {
  switch (style.variant) {
    case 'luminance':
      return {
        draw: () => REC_601,
        restyle: (image, weights) => normalizeImage(mixToGrey(denormalizeImage(image), weights)),
        restyleBatch(tensors, images) {
          const { composeColours, DENORMALIZE, mixColours, NORMALIZE } = tensors.ops;
          return mixColours(images, [composeColours(composeColours(DENORMALIZE, greyMap(REC_601)), NORMALIZE)]);
        },
      };
    case 'saturation':
      return {
        draw: () => REC_601,
        restyle: (image) => normalizeImage(scaleSaturation(denormalizeImage(image), style.saturation)),
        restyleBatch(tensors, images) {
          const { DENORMALIZE, mixColours, NORMALIZE } = tensors.ops;
          const pixels = mixColours(images, [DENORMALIZE]);
          return mixColours(scaleSaturationBatch(tensors, pixels, style.saturation), [NORMALIZE]);
        },
      };
    case 'random-mix':
      return {
        draw: (random) => drawColourMix(style, random),
        restyle: mixToGrey,
        restyleBatch: ({ ops }, images, draws) => ops.mixColours(images, draws.map(greyMap)),
      };
  }
}

type Weights = readonly [number, number, number];

/** Rec. 601 luminance. */
const REC_601: Weights = [0.299, 0.587, 0.114];

/** The largest weight of a channel in a random mix; the expected sum of the weights is 1. */
const LARGEST_WEIGHT = 2 / 3;

/** The same weighted sum of the three channels in each channel. */
export function mixToGrey(image: FloatImage, [r, g, b]: Weights): FloatImage {
  return mapPixels(image, (out, red, green, blue, i) => {
    out[i] = out[i + 1] = out[i + 2] = r * red + g * green + b * blue;
  });
}

/**
 * Multiplies the HSV saturation of pixels in [0, 1] by a factor; hue and value stay the same. With V = max(R, G, B) and
 * S = 1 − min/V, this moves every channel towards V: c → V − factor·(V − c).
 */
export function scaleSaturation(image: FloatImage, factor: number): FloatImage {
  return mapPixels(image, (out, red, green, blue, i) => {
    const value = Math.max(red, green, blue);
    out[i] = value - factor * (value - red);
    out[i + 1] = value - factor * (value - green);
    out[i + 2] = value - factor * (value - blue);
  });
}

/** Draws the weights of a random mix: each from U(0, 2/3), then scaled to sum 1 if `normalizeMix`. */
export function drawColourMix({ normalizeMix }: { normalizeMix: boolean }, random: Random): Weights {
  const draw = (): number => random.uniform(0, LARGEST_WEIGHT);
  const [r, g, b] = [draw(), draw(), draw()];
  const scale = normalizeMix ? 1 / (r + g + b) : 1;
  return [scale * r, scale * g, scale * b];
}

function mapPixels(
  { data, height, width }: FloatImage,
  map: (out: Float32Array, red: number, green: number, blue: number, i: number) => void,
): FloatImage {
  const out = newPixels(data.length);
  for (let i = 0; i < data.length; i += 3) map(out, data[i]!, data[i + 1]!, data[i + 2]!, i);
  return { data: out, height, width };
}

/** The colour map of {@link mixToGrey}. */
const greyMap = (weights: Weights): ColourMap => ({ matrix: [...weights, ...weights, ...weights], offset: [0, 0, 0] });

/** {@link scaleSaturation} of images on the device. */
function scaleSaturationBatch({ tf }: Tensors, images: tf.Tensor4D, factor: number): tf.Tensor4D {
  const [red, green, blue] = tf.split(images, 3, 3);
  const value = tf.maximum(tf.maximum(red!, green!), blue!);
  return tf.add(tf.mul(images, factor), tf.mul(value, 1 - factor));
}
