/** Power, numbers of seeds and half-widths against statsmodels and SciPy. power.py writes the fixture. */
import { halfWidth, noncentralTail, powerOf, seedsNeeded, type Design } from '../../src/statistics/power.js';
import { readFixture } from './fixture.js';

interface Fixture {
  powers: (Design & { difference: number; n: number; alpha: number; power: number })[];
  needed: (Design & { difference: number; alpha: number; power: number; n: number })[];
  halfWidths: (Design & { n: number; alpha: number; halfWidth: number })[];
  tails: { t: number; degrees: number; noncentrality: number; tail: number }[];
}

const fixture = readFixture('power') as Fixture;

test.each(fixture.powers)(
  'power: $pairing, $difference of SD $std, n = $n, alpha = $alpha',
  ({ n, power, ...test }) => {
    expect(powerOf(test, n, test)).toBeCloseTo(power, 9);
  },
);

test.each(fixture.needed)('seeds: $pairing, $difference of SD $std, alpha = $alpha, power $power', ({ n, ...test }) => {
  expect(seedsNeeded(test, test)).toBe(n);
});

test.each(fixture.halfWidths)(
  'half-width: $pairing, n = $n, alpha = $alpha',
  ({ n, alpha, halfWidth: width, ...design }) => {
    expect(halfWidth(design, n, alpha) / width).toBeCloseTo(1, 9);
  },
);

test.each(fixture.tails)('|T| ≥ $t with $degrees degrees, noncentrality $noncentrality', (each) => {
  expect(noncentralTail(each.t, each.degrees, each.noncentrality)).toBeCloseTo(each.tail, 10);
});
