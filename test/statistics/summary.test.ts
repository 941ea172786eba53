import { ranks, spearman, summaryStatistics } from '../../src/statistics/summary.js';

test('the standard deviation is that of a sample', () => {
  // Mean 5; squared deviations 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over 7.
  expect(summaryStatistics([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, std: Math.sqrt(32 / 7), n: 8 });
});

test('few values leave open what they cannot say', () => {
  expect(summaryStatistics([])).toEqual({ mean: null, std: null, n: 0 });
  expect(summaryStatistics([3])).toEqual({ mean: 3, std: null, n: 1 });
});

test('the largest value is first, and equal values share their places', () => {
  expect(ranks([10, 30, 20])).toEqual([3, 1, 2]);
  expect(ranks([5, 7, 5, 1])).toEqual([2.5, 1, 2.5, 4]);
  expect(ranks([2, 2, 2])).toEqual([2, 2, 2]);
});

describe("Spearman's rank correlation", () => {
  test('is 1 for the same order and −1 for the reverse, for all distances', () => {
    expect(
      spearman([
        [1, 10],
        [2, 11],
        [3, 1000],
      ]),
    ).toBeCloseTo(1, 12);
    expect(
      spearman([
        [1, 3],
        [2, 2],
        [3, -50],
      ]),
    ).toBeCloseTo(-1, 12);
  });

  test('follows 1 − 6 Σd² / n(n² − 1) without ties', () => {
    const pairs: [number, number][] = [
      [106, 7],
      [100, 27],
      [86, 2],
      [101, 50],
      [99, 28],
      [103, 29],
      [97, 20],
      [113, 12],
      [112, 6],
      [110, 17],
    ];
    expect(spearman(pairs)).toBeCloseTo(1 - (6 * 194) / (10 * 99), 12);
  });

  test("is Pearson's correlation of the ranks with ties", () => {
    // Ranks 1.5 1.5 3 4 and 1 2 3 4, centred: Σ = 4.5 over √(4.5 · 5).
    expect(
      spearman([
        [4, 9],
        [4, 8],
        [3, 7],
        [2, 6],
      ]),
    ).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  test('is not made up from too little', () => {
    expect(
      spearman([
        [1, 1],
        [2, 2],
      ]),
    ).toBeNull();
    expect(
      spearman([
        [1, 1],
        [1, 2],
        [1, 3],
      ]),
    ).toBeNull();
  });
});
