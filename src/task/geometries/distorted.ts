/** Distorted (c): the sampling grid is pulled towards a random centre, more strongly with distance (PAPER.md §3). */
import { z } from 'zod';
import { normalizeImage, type FloatImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';
import { nonNegative, range } from '../../common/values.js';
import { newPixels } from '../../common/working-memory.js';
import type { GeometryDraw, GeometryEntry } from '../entry.js';

export interface Distorted {
  kind: 'distorted';
  /** Range of the strength m, drawn per image. */
  strength: [number, number];
  /** Range of each centre coordinate in [-1, 1]², drawn per image. */
  centre: [number, number];
}

const strengths = z.strictObject({
  strength: range(nonNegative.max(0.5)).default([0.15, 0.25]).describe('Range of the strength, drawn per image.'),
  centre: range(z.number().min(-1).max(1))
    .default([-1, 1])
    .describe('Range of each coordinate of the centre, drawn per image; the image spans [-1, 1].'),
});

type DistortedDraw = GeometryDraw & { readonly distortion: Distortion };

export const distorted: GeometryEntry<'distorted', typeof strengths, Distorted, DistortedDraw> = {
  name: 'distorted',
  description: 'the input is pulled towards a random centre',
  strengths,
  resolve: ({ strength, centre }) => ({ kind: 'distorted', strength, centre }),
  countsRemovedTokensOnly: () => false,
  part: (geometry, imageSize) => ({
    fieldSize: imageSize,
    draw: (random) => ({ placement: null, distortion: drawDistortion(geometry, random) }),
    move: (field, { distortion }) => distort(normalizeImage(field), distortion),
    moveBatch({ tf, ops }, fields, draws) {
      const rows = draws.map(({ distortion: { centre, strength } }) => [...centre, strength]);
      return ops.pullPixels(ops.mixColours(fields, [ops.NORMALIZE]), tf.tensor2d(rows));
    },
  }),
};

/** The draw for one image. */
export interface Distortion {
  /** (x, y) in [-1, 1]²; the corners of this square are the centres of the corner pixels. */
  readonly centre: readonly [number, number];
  /** m: a point at distance r from the centre shows the source at distance r·(1 − m·r). */
  readonly strength: number;
}

export function drawDistortion({ strength, centre }: Omit<Distorted, 'kind'>, random: Random): Distortion {
  const x = random.uniform(...centre);
  return { centre: [x, random.uniform(...centre)], strength: random.uniform(...strength) };
}

/**
 * The source position of the output at (x, y): s = g + m·r·d, with d = c − g and r = |d|, all in [-1, 1]². The position
 * stays inside for every strength up to 1/√8 = 0.354.
 */
export function sourceOf(x: number, y: number, { centre: [cx, cy], strength }: Distortion): [number, number] {
  const [dx, dy] = [cx - x, cy - y];
  const pull = strength * Math.sqrt(dx * dx + dy * dy);
  return [x + pull * dx, y + pull * dy];
}

/** Distorts an image: bilinear, corners aligned, zeros outside (the mean colour of an ImageNet-normalised image). */
export function distort({ data: source, height, width }: FloatImage, distortion: Distortion): FloatImage {
  const data = newPixels(source.length).fill(0);
  let to = 0;
  for (let row = 0; row < height; row++) {
    const gy = (2 * row) / (height - 1) - 1;
    for (let column = 0; column < width; column++, to += 3) {
      const [sx, sy] = sourceOf((2 * column) / (width - 1) - 1, gy, distortion);
      const px = ((sx + 1) / 2) * (width - 1);
      const py = ((sy + 1) / 2) * (height - 1);
      const left = Math.floor(px);
      const top = Math.floor(py);
      for (let corner = 0; corner < 4; corner++) {
        const x = left + (corner & 1);
        const y = top + (corner >> 1);
        if (x < 0 || x >= width || y < 0 || y >= height) continue;
        const weight = (1 - Math.abs(px - x)) * (1 - Math.abs(py - y));
        const from = (y * width + x) * 3;
        data[to]! += weight * source[from]!;
        data[to + 1]! += weight * source[from + 1]!;
        data[to + 2]! += weight * source[from + 2]!;
      }
    }
  }
  return { data, height, width };
}
