/** The sampling field of distorted, and its statistics over 2,000 draws (PAPER.md §3). */
import { stream } from '../../../src/common/random.js';
import { distort, drawDistortion, sourceOf, type Distortion } from '../../../src/task/geometries/distorted.js';
import { imageOf, mean, noise } from '../../objectives/support.js';

const RANGES: Parameters<typeof drawDistortion>[0] = { strength: [0.15, 0.25], centre: [-1, 1] };
const random = stream(0, 'distortions');
const DRAWS = Array.from({ length: 2000 }, () => drawDistortion(RANGES, random));

/** Side of the grid on which areas are measured. */
const GRID = 24;

/** Signed area magnification of the map output → source at each point of a grid, by differences. */
function jacobians(draw: Distortion): number[] {
  const h = 1e-4;
  return Array.from({ length: GRID * GRID }, (_, i) => {
    const x = (2 * ((i % GRID) + 0.5)) / GRID - 1;
    const y = (2 * (Math.floor(i / GRID) + 0.5)) / GRID - 1;
    const [left, right] = [sourceOf(x - h, y, draw), sourceOf(x + h, y, draw)];
    const [above, below] = [sourceOf(x, y - h, draw), sourceOf(x, y + h, draw)];
    const [xx, yx] = [right[0] - left[0], right[1] - left[1]];
    const [xy, yy] = [below[0] - above[0], below[1] - above[1]];
    return (xx * yy - xy * yx) / (4 * h * h);
  });
}

const AREAS = DRAWS.map(jacobians);

it('is the identity at strength 0', () => {
  const image = noise(9, 'image');
  const { data } = distort(image, { centre: [0.3, -0.2], strength: 0 });
  expect(Math.max(...data.map((value, i) => Math.abs(value - image.data[i]!)))).toBeLessThan(1e-6);
});

it('does not move the centre', () => {
  for (const draw of DRAWS.slice(0, 20)) expect(sourceOf(...draw.centre, draw)).toEqual([...draw.centre]);
});

it('reads a point at distance r from the centre at r·(1 − m·r)', () => {
  const draw: Distortion = { centre: [-0.5, 0.5], strength: 0.2 };
  const [x, y] = sourceOf(0.1, -0.3, draw); // offset (0.6, −0.8): r = 1
  expect(x).toBeCloseTo(-0.5 + 0.6 * 0.8, 12);
  expect(y).toBeCloseTo(0.5 - 0.8 * 0.8, 12);
});

it('never reads outside the image at the strengths of the paper', () => {
  for (const draw of DRAWS) {
    for (const x of [-1, 0, 1]) {
      for (const y of [-1, 0, 1]) {
        for (const value of sourceOf(x, y, draw)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      }
    }
  }
  const white = imageOf(16, () => 1);
  for (const draw of DRAWS.slice(0, 50)) expect(Math.min(...distort(white, draw).data)).toBeGreaterThan(1 - 1e-6);
});

it('shows zeros if a greater strength reads outside', () => {
  const { data } = distort(
    imageOf(16, () => 1),
    { centre: [1, 1], strength: 0.5 },
  );
  expect([data[0], data.at(-1)]).toEqual([0, 1]);
});

it('interpolates: half a pixel between 0 and 1 reads 0.5', () => {
  // 3 px: x = −1, 0, 1. The left column reads −1 + m·r·d = −0.5, midway between the first two.
  const image = imageOf(3, (_, x) => Math.min(x, 1));
  const { data } = distort(image, { centre: [1, 0], strength: 0.125 });
  expect(data[3 * 3]).toBeCloseTo(0.5, 6);
});

it('draws centres from [-1, 1]² and strengths from [0.15, 0.25]', () => {
  for (const values of [DRAWS.map((d) => d.centre[0]), DRAWS.map((d) => d.centre[1])]) {
    expect(Math.abs(mean(values))).toBeLessThan(0.055); // 0 ± 0.013
    expect(Math.min(...values)).toBeLessThan(-0.98);
    expect(Math.max(...values)).toBeGreaterThan(0.98);
  }
  const strengths = DRAWS.map((d) => d.strength);
  expect(Math.abs(mean(strengths) - 0.2)).toBeLessThan(0.003);
  expect(Math.min(...strengths)).toBeGreaterThanOrEqual(0.15);
  expect(Math.max(...strengths)).toBeLessThan(0.25);
});

/** Share of the source pixels that bilinear sampling touches, in images of this side. */
function visibleShare(draw: Distortion, size = 64): number {
  const touched = new Uint8Array(size * size);
  const pixel = (value: number): number => ((value + 1) / 2) * (size - 1);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = sourceOf((2 * (i % size)) / (size - 1) - 1, (2 * Math.floor(i / size)) / (size - 1) - 1, draw);
    for (const row of [Math.floor(pixel(y)), Math.ceil(pixel(y))]) {
      for (const column of [Math.floor(pixel(x)), Math.ceil(pixel(x))]) touched[row * size + column] = 1;
    }
  }
  return touched.reduce((sum, value) => sum + value, 0) / touched.length;
}

it('keeps 51 % of the area visible on average, 35 to 65 % in nine of ten images', () => {
  const visible = DRAWS.map((draw) => visibleShare(draw)).toSorted((a, b) => a - b);
  expect(Math.abs(mean(visible) - 0.51)).toBeLessThan(0.015);
  expect(Math.abs(visible[100]! - 0.35)).toBeLessThan(0.03);
  expect(Math.abs(visible[1900]! - 0.65)).toBeLessThan(0.03);
});

it('folds back in about 21 % of the images and 0.5 % of the pixels', () => {
  // A fold begins where r > 1/(2m); the corners are the farthest.
  const folded = DRAWS.filter(({ centre: [x, y], strength }) =>
    [-1, 1].some((cx) => [-1, 1].some((cy) => Math.hypot(cx - x, cy - y) > 1 / (2 * strength))),
  );
  expect(Math.abs(folded.length / DRAWS.length - 0.21)).toBeLessThan(0.03);
  expect(Math.abs(mean(AREAS.flat().map((area) => Number(area < 0))) - 0.005)).toBeLessThan(0.002);
});
