/**
 * De-colorized (e), in the paper's three versions (PAPER.md §3). Luminance and saturation are properties of pixels in
 * [0, 1]; the random mix is taken of ImageNet-normalised channels, as the paper's code does.
 */
import { denormalizeImage, normalizeImage, type FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';
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

export function decolorized(style: Extract<Style, { kind: 'decolorized' }>): StylePart {
  switch (style.variant) {
    case 'luminance':
      return (image) => normalizeImage(mixToGrey(denormalizeImage(image), REC_601));
    case 'saturation':
      return (image) => normalizeImage(scaleSaturation(denormalizeImage(image), style.saturation));
    case 'random-mix':
      return (image, random) => mixToGrey(image, drawMix(style, random));
  }
}
