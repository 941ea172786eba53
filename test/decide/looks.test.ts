/** Error rate and power of made-up sweeps that add seeds at looks. `looks.ts` prints the same in full. */
import { EFFECTS, NO_EFFECTS, SCENARIOS } from '../report/simulation.js';
import { ruleOf, simulateLooks } from './simulation.js';

const USUAL = [3, 5, 8, 12];
const COMPLETE = { missing: { runs: 0 }, ...SCENARIOS['independent runs'] };

describe('of sweeps without any effect', () => {
  test('at most 6 % have a wrong verdict at any look, and all go on to the last one', () => {
    const tally = simulateLooks({ effects: NO_EFFECTS, ...COMPLETE }, ruleOf(USUAL), { sweeps: 300, name: 'noise' });
    expect((100 * tally.wrong) / tally.sweeps).toBeLessThanOrEqual(6);
    expect(tally.seeds).toBeCloseTo(12, 9);
    // Without a correction for the looks, several times as many have one.
    expect(tally.naiveWrong).toBeGreaterThan(2 * tally.wrong);
  });

  test('those with a large smallest difference of interest stop early, without a difference of that size', () => {
    const tally = simulateLooks({ effects: NO_EFFECTS, ...COMPLETE }, ruleOf(USUAL, 4), { sweeps: 40, name: 'small' });
    expect(tally.small / tally.verdicts).toBeGreaterThan(0.9);
    expect(tally.seeds).toBeLessThan(9);
  });

  test('missing runs and effects that differ by seed do not raise the error', () => {
    const scenario = { effects: NO_EFFECTS, missing: { share: 0.05 }, ...SCENARIOS.both };
    const tally = simulateLooks(scenario, ruleOf(USUAL), { sweeps: 100, name: 'missing' });
    expect((100 * tally.wrong) / tally.sweeps).toBeLessThanOrEqual(6);
  });
});

test('large effects are found with two thirds of the seeds', () => {
  const double = { mask: 2, misalignment: 1.6, style: -2, interaction: 2 };
  const tally = simulateLooks({ effects: double, ...COMPLETE }, ruleOf(USUAL), { sweeps: 40, name: 'double' });
  expect(tally.found / tally.verdicts).toBeGreaterThan(0.97);
  expect(tally.seeds).toBeLessThan(9);
  expect(tally.wrong).toBe(0);
});

test('moderate effects are found nearly as often as with all seeds at once', () => {
  const tally = simulateLooks({ effects: EFFECTS, ...COMPLETE }, ruleOf(USUAL), { sweeps: 40, name: 'planted' });
  expect(tally.found).toBeGreaterThan(0.8 * tally.fixedFound);
  expect(tally.wrong).toBe(0);
});
