import {
  digitsOf,
  formatNumber,
  linearScale,
  paddedDomain,
  roundTicks,
  separate,
  thinned,
  withSpread,
} from '../../../src/report/html/scale.js';

test('a linear scale maps ends to ends, downwards too, and a point to the middle', () => {
  const up = linearScale([10, 20], [200, 0]);
  expect([10, 12.5, 20].map(up)).toEqual([200, 150, 0]);
  expect(linearScale([3, 3], [0, 100])(3)).toBe(50);
});

test('a domain is the extent and its margin; one value alone has room on both sides', () => {
  expect(paddedDomain([4, 2, 12], 0.1)).toEqual([1, 13]);
  expect(paddedDomain([5], 0.1)).toEqual([4, 6]);
  expect(paddedDomain([], 0.1)).toEqual([0, 1]);
});

describe('ticks', () => {
  test.each([
    [[0, 1], 6, [0, 0.2, 0.4, 0.6, 0.8, 1], 1],
    [[38.2, 49.1], 6, [40, 42, 44, 46, 48], 0],
    [[80.5, 83.4], 5, [81, 82, 83], 0],
    [[-0.3, 0.3], 4, [-0.2, 0, 0.2], 1],
    [[1, 300], 5, [100, 200, 300], 0],
    [[0.0012, 0.0049], 4, [0.002, 0.003, 0.004], 3],
  ] as const)('of %j, at most %d, are %j', (domain, most, values, digits) => {
    expect(roundTicks(domain, most)).toEqual({ values, digits });
  });

  test('lie within and are no more than asked for, whatever the domain', () => {
    for (const size of [1e-6, 0.037, 1, 7.7, 99, 123456]) {
      for (const most of [3, 4, 5, 6]) {
        const { values } = roundTicks([-size / 3, size], most);
        expect(values.length).toBeGreaterThan(1);
        expect(values.length).toBeLessThanOrEqual(most);
        expect(values.every((value) => value >= -size / 3 - 1e-9 && value <= size * (1 + 1e-9))).toBe(true);
      }
    }
  });
});

test('numbers have a true minus sign, and no negative zero', () => {
  expect([-1.25, -0.001, 0, 3].map((value) => formatNumber(value, 1))).toEqual(['−1.3', '0.0', '0.0', '3.0']);
  expect([withSpread(1, null), withSpread(1, 0.25)]).toEqual(['1.00', '1.00 ± 0.25']);
  expect([digitsOf([0, 0.75]), digitsOf([1, 2])]).toEqual([2, 0]);
});

describe('labels', () => {
  test('that are apart stay, and those that overlap are moved apart in their order', () => {
    expect(separate([10, 50, 90], 13, [0, 100])).toEqual([10, 50, 90]);
    const moved = separate([52, 50, 51], 13, [0, 100]);
    expect(moved[1]!).toBeLessThan(moved[2]!);
    expect(moved[2]! - moved[1]!).toBeGreaterThanOrEqual(13);
    expect(moved[0]! - moved[2]!).toBeGreaterThanOrEqual(13);
  });

  test('stay within, also where there is too little room', () => {
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
