/** Blurs: of a lens, of frosted glass, of a motion, of a zoom. */
import type { FloatImage } from '../../common/image.js';
import { defineCorruption, mapImage } from './corruption.js';
import { clippedZoom, correlate, gaussianBlur, gaussianWeights, motionBlur as blurAlong, type Tap } from './filters.js';

export const defocusBlur = defineCorruption({
  name: 'defocus_blur',
  title: 'defocus blur',
  category: 'blur',
  small: [
    { radius: 0.3, alias: 0.4 },
    { radius: 0.4, alias: 0.5 },
    { radius: 0.5, alias: 0.6 },
    { radius: 1, alias: 0.2 },
    { radius: 1.5, alias: 0.1 },
  ],
  large: [
    { radius: 3, alias: 0.1 },
    { radius: 4, alias: 0.5 },
    { radius: 6, alias: 0.5 },
    { radius: 8, alias: 0.5 },
    { radius: 10, alias: 0.5 },
  ],
  apply: (image, { radius, alias }) => correlate(image, disk(radius, alias), 'reflect-101'),
});

/** A disk whose edge is smoothed by a small Gaussian: 3 × 3, or 5 × 5 if the radius is above 8. */
function disk(radius: number, alias: number): Tap[] {
  const reach = radius <= 8 ? 8 : radius;
  const side = 2 * reach + 1;
  const inside = Float64Array.from({ length: side ** 2 }, (_, i) => {
    return Number((Math.floor(i / side) - reach) ** 2 + ((i % side) - reach) ** 2 <= radius ** 2);
  });
  const area = inside.reduce((a, b) => a + b, 0);
  const flat = { data: inside.map((value) => value / area), height: side, width: side };
  const weights = gaussianWeights(alias, radius <= 8 ? 1 : 2);
  const half = (weights.length - 1) / 2;
  const taps = weights.flatMap((row, dy) =>
    weights.map((column, dx): Tap => ({ dy: dy - half, dx: dx - half, weight: row * column })),
  );
  const smooth = correlate(flat, taps, 'reflect-101');
  return [...smooth.data].flatMap((weight, i) =>
    weight === 0 ? [] : [{ dy: Math.floor(i / side) - reach, dx: (i % side) - reach, weight }],
  );
}

/** White stays white although the sum of the weights of a blur is a little below 1. */
const WHITE = 1e-4;

export const glassBlur = defineCorruption({
  name: 'glass_blur',
  title: 'glass blur',
  category: 'blur',
  small: [
    { sigma: 0.05, reach: 1, rounds: 1 },
    { sigma: 0.25, reach: 1, rounds: 1 },
    { sigma: 0.4, reach: 1, rounds: 1 },
    { sigma: 0.25, reach: 1, rounds: 2 },
    { sigma: 0.4, reach: 1, rounds: 2 },
  ],
  large: [
    { sigma: 0.7, reach: 1, rounds: 2 },
    { sigma: 0.9, reach: 2, rounds: 1 },
    { sigma: 1, reach: 2, rounds: 3 },
    { sigma: 1.1, reach: 3, rounds: 2 },
    { sigma: 1.5, reach: 4, rounds: 2 },
  ],
  apply(image, { sigma, reach, rounds }, random) {
    const blurred = mapImage(gaussianBlur(image, sigma), (value) => Math.floor(255 * value + WHITE) / 255);
    const { data, height, width } = blurred;
    for (let round = 0; round < rounds; round++) {
      for (let y = height - reach; y > reach; y--) {
        for (let x = width - reach; x > reach; x--) {
          const dx = random.integer(2 * reach) - reach;
          const dy = random.integer(2 * reach) - reach;
          // The original means to swap two pixels, but copies one over the other.
          const from = 3 * ((y + dy) * width + x + dx);
          data.copyWithin(3 * (y * width + x), from, from + 3);
        }
      }
    }
    return gaussianBlur(blurred, sigma);
  },
});

export const motionBlur = defineCorruption({
  name: 'motion_blur',
  title: 'motion blur',
  category: 'blur',
  small: [
    { radius: 6, sigma: 1 },
    { radius: 6, sigma: 1.5 },
    { radius: 6, sigma: 2 },
    { radius: 8, sigma: 2 },
    { radius: 9, sigma: 2.5 },
  ],
  large: [
    { radius: 10, sigma: 3 },
    { radius: 15, sigma: 5 },
    { radius: 15, sigma: 8 },
    { radius: 15, sigma: 12 },
    { radius: 20, sigma: 15 },
  ],
  apply: (image, { radius, sigma }, random) => blurAlong(image, radius, sigma, random.uniform(-45, 45)),
});

export const zoomBlur = defineCorruption({
  name: 'zoom_blur',
  title: 'zoom blur',
  category: 'blur',
  small: [
    { end: 1.06, step: 0.01 },
    { end: 1.11, step: 0.01 },
    { end: 1.16, step: 0.01 },
    { end: 1.21, step: 0.01 },
    { end: 1.26, step: 0.01 },
  ],
  large: [
    { end: 1.11, step: 0.01 },
    { end: 1.16, step: 0.01 },
    { end: 1.21, step: 0.02 },
    { end: 1.26, step: 0.02 },
    { end: 1.31, step: 0.03 },
  ],
  apply(image, { end, step }) {
    // The factors of NumPy's `arange`, to the bit: a size of 32.5 pixels must be rounded in the same direction.
    const factors = Array.from({ length: Math.ceil((end - 1) / step) }, (_, i) => 1 + i * (1 + step - 1));
    const zoomed = factors.map((factor): FloatImage => clippedZoom(image, factor));
    return mapImage(image, (value, i) => {
      let sum = value;
      for (const { data } of zoomed) sum += data[i]!;
      return sum / (zoomed.length + 1);
    });
  },
});
