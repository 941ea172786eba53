/** Intervals and verdicts of made-up sweeps with missing runs. `coverage.ts` prints the same in full. */
import { EFFECTS, MISSING, NO_EFFECTS, SCENARIOS, simulate, type ScenarioName, type Tally } from './simulation.js';

const names = Object.keys(SCENARIOS) as ScenarioName[];

function pooled(tallies: readonly Tally[]): { coverage: number; wrong: number; decided: number } {
  const total = (key: keyof Tally): number => tallies.reduce((sum, tally) => sum + tally[key], 0);
  return {
    coverage: (100 * total('covered')) / total('intervals'),
    wrong: (100 * total('wrong')) / total('decided'),
    decided: (100 * total('decided')) / total('verdicts'),
  };
}

const EACH = Object.entries(MISSING).map(([missing, runs]) => ({ missing, runs: [runs] }));

describe.each([
  // Reports of each of the four scenarios, five intervals each.
  { seeds: 3, reports: 80, cases: EACH },
  { seeds: 5, reports: 60, cases: EACH },
  // These cost most and differ least, so they are counted together.
  { seeds: 20, reports: 20, cases: [{ missing: 'none to 10 %', runs: Object.values(MISSING) }] },
])('of sweeps of $seeds seeds', ({ seeds, reports, cases }) => {
  test.each(cases)(
    'with $missing missing, 92 to 98 % of the intervals hold the planned effect, and at most 1 % of the verdicts are wrong',
    ({ missing, runs }) => {
      const tallies = names.flatMap((scenario) =>
        runs.map((each, i) =>
          simulate(
            { effects: EFFECTS, seeds, missing: each, ...SCENARIOS[scenario] },
            { reports, name: `${seeds} ${missing} ${i} ${scenario}` },
          ),
        ),
      );
      const { coverage, wrong, decided } = pooled(tallies);
      expect(coverage).toBeGreaterThanOrEqual(92);
      expect(coverage).toBeLessThanOrEqual(98);
      expect(wrong).toBeLessThanOrEqual(1);
      expect(decided).toBeGreaterThan(5);
    },
  );
});

describe('of reports on sweeps without any effect, at most 6 % have a wrong verdict', () => {
  test.each([
    { settings: 1, reports: 1000, missing: { runs: 0 }, scenario: 'independent runs' },
    { settings: 1, reports: 300, missing: { share: 0.05 }, scenario: 'both' },
    { settings: 12, reports: 200, missing: { runs: 0 }, scenario: 'effects differ by seed' },
  ] as const)('with $settings settings: $scenario', ({ settings, reports, missing, scenario }) => {
    const sweep = { effects: NO_EFFECTS, seeds: 3, missing, ...SCENARIOS[scenario] };
    const { wrongReports } = simulate(sweep, { reports, settings, name: `no effects, ${settings}` });
    expect((100 * wrongReports) / reports).toBeLessThanOrEqual(6);
  });
});
