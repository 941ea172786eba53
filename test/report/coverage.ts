/**
 * Prints how often the report's intervals hold the planted effect, and how often its verdicts are wrong, as Markdown.
 *
 *     node dist/test/report/coverage.js [reports, 1000 by default]
 *
 * Takes minutes. `coverage.test.ts` checks the same on fewer reports.
 */
import { EFFECTS, MISSING, NO_EFFECTS, SCENARIOS, simulate, type ScenarioName } from './simulation.js';

const reports = Number(process.argv[2] ?? 1000);
const percent = (part: number, whole: number): string => (whole === 0 ? '' : ((100 * part) / whole).toFixed(1));
const row = (cells: readonly (string | number)[]): void => {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
};

row([
  'seeds',
  'missing',
  'scenario',
  'coverage (%)',
  'worst principle (%)',
  'wrong sign, of decided (%)',
  'decided (%)',
]);
row(['---:', '---', '---', '---:', '---:', '---:', '---:']);
for (const seeds of [3, 5, 20]) {
  for (const [missing, runs] of Object.entries(MISSING)) {
    for (const scenario of Object.keys(SCENARIOS) as ScenarioName[]) {
      const counts = new Map<string, { covered: number; all: number }>();
      const tally = simulate(
        { effects: EFFECTS, seeds, missing: runs, ...SCENARIOS[scenario] },
        { reports: seeds > 5 ? Math.ceil(reports / 4) : reports, name: `${seeds} ${missing} ${scenario}` },
        (principle, covered) => {
          const own = counts.get(principle) ?? { covered: 0, all: 0 };
          counts.set(principle, { covered: own.covered + Number(covered), all: own.all + 1 });
        },
      );
      const shares = [...counts.values()].map(({ covered, all }) => (100 * covered) / all);
      const worst = shares.reduce((so, share) => (Math.abs(share - 95) > Math.abs(so - 95) ? share : so), 95);
      row([
        seeds,
        missing,
        scenario,
        percent(tally.covered, tally.intervals),
        worst.toFixed(1),
        percent(tally.wrong, tally.decided),
        percent(tally.decided, tally.verdicts),
      ]);
    }
  }
}

process.stdout.write('\nWithout any effect:\n\n');
row(['seeds', 'missing', 'scenario', 'settings', 'reports with a wrong verdict (%)']);
row(['---:', '---', '---', '---:', '---:']);
for (const seeds of [3, 5]) {
  for (const missing of ['0 runs', '5 %']) {
    const runs = MISSING[missing]!;
    for (const scenario of ['independent runs', 'effects differ by seed'] as const) {
      for (const settings of [1, 12]) {
        const { wrongReports, reports: all } = simulate(
          { effects: NO_EFFECTS, seeds, missing: runs, ...SCENARIOS[scenario] },
          {
            reports: settings > 1 ? Math.ceil(reports / 4) : reports,
            settings,
            name: `none ${seeds} ${missing} ${scenario}`,
          },
        );
        row([seeds, missing, scenario, settings, percent(wrongReports, all)]);
      }
    }
  }
}
