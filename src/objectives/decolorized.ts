/**
 * De-colorized (e), in the paper's three versions (PAPER.md §3). Luminance and saturation are properties of pixels in
 * [0, 1]; the random mix is taken of ImageNet-normalised channels, as the paper's code does.
 */
import * as tf from '@tensorflow/tfjs';
import { denormalizeImage, normalizeImage, type FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import { composeColours, DENORMALIZE, mixColours, NORMALIZE, type ColourMap } from '../ops/index.js';
import type { Style } from '../spec/task.js';
import type { StylePart } from './parts.js';

type Weights = readonly [number, number, number];

/** Rec. 601 luminance. */
const REC_601: Weights = [0.299, 0.587, 0.114];

/** The largest weight of a channel in a random mix; their sum is 1 on average. */
const LARGEST_WEIGHT = 2 / 3;

/** The same weighted sum of the three channels in all of them. */
export function mixToGrey(image: FloatImage, [r, g, b]: Weights): FloatImage {
  return mapPixels(image, (out, red, green, blue, i) => {
    out[i] = out[i + 1] = out[i + 2] = r * red + g * green + b * blue;
  });
}

/**
 * Multiplies the HSV saturation of pixels in [0, 1], keeping hue and value. With V = max(R, G, B) and S = 1 − min/V,
 * that moves every channel towards V: c → V − factor·(V − c).
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
export function drawMix({ normalizeMix }: { normalizeMix: boolean }, random: Random): Weights {
  const draw = (): number => random.uniform(0, LARGEST_WEIGHT);
  const [r, g, b] = [draw(), draw(), draw()];
  const scale = normalizeMix ? 1 / (r + g + b) : 1;
  return [scale * r, scale * g, scale * b];
}

function mapPixels(
  { data, height, width }: FloatImage,
  map: (out: Float32Array, red: number, green: number, blue: number, i: number) => void,
): FloatImage {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 3) map(out, data[i]!, data[i + 1]!, data[i + 2]!, i);
  return { data: out, height, width };
}

/** The colour map of {@link mixToGrey}. */
const greyMap = (weights: Weights): ColourMap => ({ matrix: [...weights, ...weights, ...weights], offset: [0, 0, 0] });

/** {@link scaleSaturation} of images on the device. */
function scaleSaturationBatch(images: tf.Tensor4D, factor: number): tf.Tensor4D {
  const [red, green, blue] = tf.split(images, 3, 3);
  const value = tf.maximum(tf.maximum(red!, green!), blue!);
  return tf.add(tf.mul(images, factor), tf.mul(value, 1 - factor));
}

export function decolorized(style: Extract<Style, { kind: 'decolorized' }>): StylePart<Weights> {
  switch (style.variant) {
    case 'luminance': {
      const throughPixels = composeColours(composeColours(DENORMALIZE, greyMap(REC_601)), NORMALIZE);
      return {
        draw: () => REC_601,
        restyle: (image, weights) => normalizeImage(mixToGrey(denormalizeImage(image), weights)),
        restyleBatch: (images) => mixColours(images, [throughPixels]),
      };
    }
    case 'saturation':
      return {
        draw: () => REC_601,
        restyle: (image) => normalizeImage(scaleSaturation(denormalizeImage(image), style.saturation)),
        restyleBatch: (images) =>
          mixColours(scaleSaturationBatch(mixColours(images, [DENORMALIZE]), style.saturation), [NORMALIZE]),
      };
    case 'random-mix':
      return {
        draw: (random) => drawMix(style, random),
        restyle: mixToGrey,
        restyleBatch: (images, draws) => mixColours(images, draws.map(greyMap)),
      };
  }
}
