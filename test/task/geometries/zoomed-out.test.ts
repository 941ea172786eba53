/** The mirror canvas of zoomed-out. */
import { denormalizeImage } from '../../../src/common/image.js';
import { stream } from '../../../src/common/random.js';
import { drawPlacement, mirrorPad, zoomedOut } from '../../../src/task/geometries/zoomed-out.js';
import { mirrorIndex } from '../../../src/task/mirror.js';
import { GEOMETRIES, mean, noise } from '../../objectives/support.js';

it('repeats the edge pixel when it mirrors', () => {
  const seen = Array.from({ length: 9 }, (_, i) => mirrorIndex(i - 3, 3));
  expect(seen).toEqual([2, 1, 0, 0, 1, 2, 2, 1, 0]);
});

it('mirrors again if the margin is wider than the content', () => {
  const seen = Array.from({ length: 13 }, (_, i) => mirrorIndex(i - 6, 2));
  expect(seen).toEqual([1, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1].map((_, i) => [0, 1, 1, 0][(((i - 6) % 4) + 4) % 4]));
  expect(mirrorIndex(0, 1)).toBe(0);
  expect(mirrorIndex(-7, 1)).toBe(0);
});

it('contains the content exactly, at its placement', () => {
  const content = noise(5, 'content');
  const { data } = mirrorPad(content, { left: 2, top: 1 }, 9);
  for (let y = 0; y < 5; y++) {
    const row = ((y + 1) * 9 + 2) * 3;
    expect(data.slice(row, row + 15)).toEqual(content.data.slice(y * 15, (y + 1) * 15));
  }
});

it('fills sides and corners like symmetric padding', () => {
  const content = { data: Float32Array.from([1, 2, 3, 4].flatMap((v) => [v, v, v])), height: 2, width: 2 };
  const canvas = mirrorPad(content, { left: 1, top: 0 }, 4);
  const red = Array.from({ length: 16 }, (_, i) => canvas.data[i * 3]);
  // numpy.pad([[1, 2], [3, 4]], ((0, 2), (1, 1)), mode='symmetric')
  expect(red).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4, 1, 1, 2, 2]);
});

it('draws each offset uniformly from 0 to 63 at 224 px, leaving 1 to 64 on the other side', () => {
  const random = stream(0, 'placements');
  const placements = Array.from({ length: 2000 }, () => drawPlacement(224, 160, random));
  for (const axis of ['left', 'top'] as const) {
    const offsets = placements.map((placement) => placement[axis]);
    expect([Math.min(...offsets), Math.max(...offsets)]).toEqual([0, 63]);
    expect([...new Set(offsets.map((offset) => 224 - 160 - offset))].toSorted((a, b) => a - b).at(0)).toBe(1);
    // 31.5 ± 0.41, four deviations; each eighth of the range contains 250 ± 15.
    expect(Math.abs(mean(offsets) - 31.5)).toBeLessThan(1.7);
    for (let low = 0; low < 64; low += 8) {
      const share = offsets.filter((offset) => offset >= low && offset < low + 8).length;
      expect(Math.abs(share - 250)).toBeLessThan(60);
    }
  }
  const products = placements.map(({ left, top }) => (left - 31.5) * (top - 31.5));
  expect(Math.abs(mean(products)) / 341).toBeLessThan(0.1); // independent axes
});

it('places 23 px of content in a 32 px canvas', () => {
  const part = zoomedOut.part(GEOMETRIES['zoomed-out'], 32);
  expect(part.fieldSize).toBe(23);
  const content = noise(23, 'content');
  const draw = part.draw(stream(4, 'draw'));
  expect(draw.placement.left).toBeLessThanOrEqual(8);
  const expected = mirrorPad(content, draw.placement, 32).data;
  const pixels = denormalizeImage(part.move(content, draw)).data;
  expect(Math.max(...pixels.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6);
});
