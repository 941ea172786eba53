/** Weather: snow, frost, fog, and the brightness of the day. */
import type { Random } from '../../common/random.js';
import { defineCorruption, layerOf, mapImage, type Layer } from './corruption.js';
import { clippedZoom, motionBlur } from './filters.js';

export const snow = defineCorruption({
  name: 'snow',
  title: 'snow',
  category: 'weather',
  small: [
    { mean: 0.1, deviation: 0.2, zoom: 1, threshold: 0.6, radius: 8, sigma: 3, kept: 0.95 },
    { mean: 0.1, deviation: 0.2, zoom: 1, threshold: 0.5, radius: 10, sigma: 4, kept: 0.9 },
    { mean: 0.15, deviation: 0.3, zoom: 1.75, threshold: 0.55, radius: 10, sigma: 4, kept: 0.9 },
    { mean: 0.25, deviation: 0.3, zoom: 2.25, threshold: 0.6, radius: 12, sigma: 6, kept: 0.85 },
    { mean: 0.3, deviation: 0.3, zoom: 1.25, threshold: 0.65, radius: 14, sigma: 12, kept: 0.8 },
  ],
  large: [
    { mean: 0.1, deviation: 0.3, zoom: 3, threshold: 0.5, radius: 10, sigma: 4, kept: 0.8 },
    { mean: 0.2, deviation: 0.3, zoom: 2, threshold: 0.5, radius: 12, sigma: 4, kept: 0.7 },
    { mean: 0.55, deviation: 0.3, zoom: 4, threshold: 0.9, radius: 12, sigma: 8, kept: 0.7 },
    { mean: 0.55, deviation: 0.3, zoom: 4.5, threshold: 0.85, radius: 12, sigma: 8, kept: 0.65 },
    { mean: 0.55, deviation: 0.3, zoom: 2.5, threshold: 0.85, radius: 12, sigma: 12, kept: 0.55 },
  ],
  apply(image, { mean, deviation, zoom, threshold, radius, sigma, kept }, random) {
    const { data, height, width } = image;
    const flakes: Layer = clippedZoom(
      layerOf(height, width, () => random.normal(mean, deviation)),
      zoom,
    );
    const visible = flakes.data.map((value) => (value < threshold ? 0 : Math.floor(255 * Math.min(value, 1)) / 255));
    const falling: Layer = motionBlur({ ...flakes, data: visible }, radius, sigma, random.uniform(-135, -45));
    return mapImage(image, (value, i) => {
      const pixel = Math.floor(i / 3);
      const [red, green, blue] = [data[3 * pixel]!, data[3 * pixel + 1]!, data[3 * pixel + 2]!];
      const white = 1.5 * (0.299 * red + 0.587 * green + 0.114 * blue) + 0.5;
      const bleached = kept * value + (1 - kept) * Math.max(value, white);
      return bleached + falling.data[pixel]! + falling.data[height * width - 1 - pixel]!; // and turned by 180°
    });
  },
});

/** The colour of ice, by which its brightness is multiplied. */
const ICE = [0.8, 0.9, 1] as const;

export const frost = defineCorruption({
  name: 'frost',
  title: 'frost',
  category: 'weather',
  small: [
    { kept: 1, ice: 0.2 },
    { kept: 1, ice: 0.3 },
    { kept: 0.9, ice: 0.4 },
    { kept: 0.85, ice: 0.4 },
    { kept: 0.75, ice: 0.45 },
  ],
  large: [
    { kept: 1, ice: 0.4 },
    { kept: 0.8, ice: 0.6 },
    { kept: 0.7, ice: 0.7 },
    { kept: 0.65, ice: 0.7 },
    { kept: 0.6, ice: 0.75 },
  ],
  apply(image, { kept, ice }, random) {
    // The original adds crops of five photographs of ice. Here ridges of a plasma stand for its crystals.
    const texture = plasma(image.height, 1.7, random);
    return mapImage(image, (value, i) => {
      const ridge = 1 - Math.abs(2 * texture.data[Math.floor(i / 3)]! - 1);
      return kept * value + ice * ridge ** 2 * ICE[(i % 3) as 0 | 1 | 2];
    });
  },
});

export const fog = defineCorruption({
  name: 'fog',
  title: 'fog',
  category: 'weather',
  small: [
    { amount: 0.2, decay: 3 },
    { amount: 0.5, decay: 3 },
    { amount: 0.75, decay: 2.5 },
    { amount: 1, decay: 2 },
    { amount: 1.5, decay: 1.75 },
  ],
  large: [
    { amount: 1.5, decay: 2 },
    { amount: 2, decay: 2 },
    { amount: 2.5, decay: 1.7 },
    { amount: 2.5, decay: 1.5 },
    { amount: 3, decay: 1.4 },
  ],
  apply(image, { amount, decay }, random) {
    const brightest = image.data.reduce((a, b) => Math.max(a, b), 0);
    const texture = plasma(image.height, decay, random);
    return mapImage(image, (value, i) => {
      return ((value + amount * texture.data[Math.floor(i / 3)]!) * brightest) / (brightest + amount);
    });
  },
});

/**
 * A plasma fractal by the diamond-square algorithm, which wraps around at its borders; its upper left corner.
 *
 * @param side Of the corner, in pixels; the fractal has the next power of two.
 * @param decay Factor by which the noise falls from one level to the next.
 * @returns values from 0 to 1 over the whole fractal
 */
export function plasma(side: number, decay: number, random: Random): Layer {
  const size = 2 ** Math.ceil(Math.log2(side));
  const map = new Float64Array(size ** 2);
  const at = (y: number, x: number): number => map[((y + size) % size) * size + ((x + size) % size)]!;
  let noise = 100;
  for (let step = size; step >= 2; step /= 2, noise /= decay) {
    const half = step / 2;
    const around = (y: number, x: number, offsets: readonly (readonly [number, number])[]): void => {
      const mean = offsets.reduce((sum, [dy, dx]) => sum + at(y + dy * half, x + dx * half), 0) / 4;
      map[y * size + x] = mean + noise * random.uniform(-noise, noise);
    };
    const each = (top: number, left: number, offsets: readonly (readonly [number, number])[]): void => {
      for (let y = top; y < size; y += step) for (let x = left; x < size; x += step) around(y, x, offsets);
    };
    each(half, half, DIAGONAL);
    each(0, half, STRAIGHT);
    each(half, 0, STRAIGHT);
  }
  const [lowest, highest] = map.reduce(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Infinity, -Infinity],
  );
  return layerOf(side, side, (i) => {
    return (map[Math.floor(i / side) * size + (i % side)]! - lowest) / (highest - lowest);
  });
}

const DIAGONAL = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
] as const;
const STRAIGHT = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

export const brightness = defineCorruption({
  name: 'brightness',
  title: 'brightness',
  category: 'weather',
  small: [0.05, 0.1, 0.15, 0.2, 0.3],
  large: [0.1, 0.2, 0.3, 0.4, 0.5],
  apply(image, added) {
    const { data } = image;
    // The value of HSV, the largest channel, is raised; hue and saturation stay.
    return mapImage(image, (value, i) => {
      const first = i - (i % 3);
      const largest = Math.max(data[first]!, data[first + 1]!, data[first + 2]!);
      const raised = Math.min(largest + added, 1);
      return largest === 0 ? raised : (value * raised) / largest;
    });
  },
});
