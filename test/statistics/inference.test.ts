import { stream } from '../../src/common/random.js';
import { bootstrapInterval } from '../../src/statistics/bootstrap.js';
import { studentInterval } from '../../src/statistics/interval.js';
import { signFlipTest } from '../../src/statistics/sign-flip.js';
import { kendall } from '../../src/statistics/summary.js';

const random = () => stream(7, 'test');

describe('three seeds', () => {
  test('never come to a p below .25, however alike they are', () => {
    expect(signFlipTest([5, 5, 5], random())).toBe(0.25);
    expect(signFlipTest([5, -5.1, 5], random())).toBe(1);
  });

  test('have 27 resamples, of which the bootstrap takes about the range', () => {
    // Sorted, the means begin 1, 4/3 and end 10/3, 4; the quantiles lie at place .65 from either end.
    const [low, high] = bootstrapInterval([1, 2, 4], random())!;
    expect(low).toBeCloseTo(1 + 0.65 / 3, 12);
    expect(high).toBeCloseTo(4 - (0.65 * 2) / 3, 12);
  });
});

test('what is drawn is drawn alike each time', () => {
  const values = Array.from({ length: 20 }, (_, i) => Math.sin(i) + 0.2);
  expect(bootstrapInterval(values, random())).toEqual(bootstrapInterval(values, random()));
  expect(signFlipTest(values, random())).toBe(signFlipTest(values, random()));
});

describe('too few values', () => {
  test('have no interval', () => {
    expect([studentInterval([]), studentInterval([1]), bootstrapInterval([1], random())]).toEqual([null, null, null]);
  });

  test('nor have values without a spread, even if floats differ in their last bit', () => {
    expect(studentInterval([0.3, 0.1 + 0.2, 0.3])).toBeNull();
  });

  test('nor have large values whose spread is rounding of their own size', () => {
    expect(studentInterval([50, 50 + 2e-8])).toBeNull();
    expect(studentInterval([1, 1 + 2e-8])).not.toBeNull();
  });

  test('have no test and no correlation', () => {
    expect(signFlipTest([], random())).toBeNull();
    expect(
      kendall([
        [1, 2],
        [2, 3],
      ]),
    ).toBeNull();
    expect(
      kendall([
        [1, 2],
        [1, 3],
        [1, 4],
      ]),
    ).toBeNull();
  });
});

describe('at three values', () => {
  /** How often in 4,000 samples of N(0, 1) an interval holds 0, in percent. */
  function coverage(intervalOf: (values: number[]) => readonly [number, number] | null): number {
    const samples = 4000;
    const normal = stream(3, 'coverage');
    let held = 0;
    for (let i = 0; i < samples; i++) {
      const [low, high] = intervalOf([normal.normal(), normal.normal(), normal.normal()])!;
      if (low <= 0 && 0 <= high) held += 1;
    }
    return (100 * held) / samples;
  }

  test("Student's interval holds the truth in 95 of 100 samples", () => {
    // Three standard errors of a share of .95 in 4,000 are 1.03.
    expect(Math.abs(coverage(studentInterval) - 95)).toBeLessThan(1.1);
  });

  test('the bootstrap holds it in two of three, which is why no verdict rests on it', () => {
    expect(Math.abs(coverage((values) => bootstrapInterval(values, random())) - 200 / 3)).toBeLessThan(2.3);
  });
});
