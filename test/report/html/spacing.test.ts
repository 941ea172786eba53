import { separate, thinned } from '../../../src/report/html/spacing.js';

describe('labels', () => {
  test('that are apart stay, and those that overlap are moved apart in their order', () => {
    expect(separate([10, 50, 90], 13, [0, 100])).toEqual([10, 50, 90]);
    const moved = separate([52, 50, 51], 13, [0, 100]);
    expect(moved[1]!).toBeLessThan(moved[2]!);
    expect(moved[2]! - moved[1]!).toBeGreaterThanOrEqual(13);
    expect(moved[0]! - moved[2]!).toBeGreaterThanOrEqual(13);
  });

  test('stay within, also if there is too little room', () => {
    for (const places of [
      [99, 99, 99],
      [0, 0, 0],
      [50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50],
    ]) {
      const moved = separate(places, 13, [0, 100]);
      expect(moved.every((place) => place >= -1e-9 && place <= 100 + 1e-9)).toBe(true);
      expect(new Set(moved).size).toBe(places.length);
    }
  });
});

test('a thinned list keeps its ends', () => {
  const values = Array.from({ length: 1000 }, (_, i) => i);
  const few = thinned(values, 160);
  expect([few.length, few[0], few.at(-1)]).toEqual([160, 0, 999]);
  expect(thinned([1, 2], 160)).toEqual([1, 2]);
});
