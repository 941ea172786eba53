/**
 * Prints how often a sweep that adds seeds at looks has a wrong verdict, how many verdicts it finds and with how many seeds,
 * as Markdown.
 *
 *     node dist/test/decide/looks.js [sweeps, 2000 by default]
 *
 * Takes minutes. `looks.test.ts` checks the same on fewer sweeps.
 */
import { EFFECTS, NO_EFFECTS, SCENARIOS, type Effects, type ScenarioName } from '../report/simulation.js';
import { ruleOf, simulateLooks } from './simulation.js';

const sweeps = Number(process.argv[2] ?? 2000);
const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(1);
const row = (cells: readonly (string | number)[]): void => {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
};

const times = ({ mask, misalignment, style, interaction }: Effects, factor: number): Effects => ({
  mask: mask * factor,
  misalignment: misalignment * factor,
  style: style * factor,
  interaction: interaction * factor,
});

interface Setting {
  effects: string;
  size: number;
  looks?: number[];
  smallest?: number;
  scenario?: ScenarioName;
  missing?: number;
  settings?: number;
}

const USUAL = [3, 5, 8, 12];
const NONE = { effects: 'none', size: 0 };
const SETTINGS: readonly Setting[] = [
  NONE,
  { ...NONE, smallest: 1 },
  { ...NONE, looks: [2, 3, 4, 5, 6, 7, 8, 9, 10] },
  { ...NONE, settings: 4 },
  { ...NONE, scenario: 'both', missing: 0.05 },
  { effects: 'half', size: 0.5 },
  { effects: 'half', size: 0.5, smallest: 1 },
  { effects: 'planted', size: 1 },
  { effects: 'planted', size: 1, smallest: 1 },
  { effects: 'planted', size: 1, scenario: 'effects differ by seed' },
  { effects: 'double', size: 2 },
  { effects: 'double', size: 2, scenario: 'both', missing: 0.05 },
];

const COLUMNS = [
  ...['effects', 'looks', 'smallest', 'runs', 'settings'],
  ...['wrong (%)', 'found (%)', 'no difference (%)', 'mean seeds', 'early (%)'],
  ...['all seeds, Holm: wrong (%)', 'found (%)', 'Holm at every look: wrong (%)'],
];
row(COLUMNS);
row(COLUMNS.map((_, i) => (i > 3 || i === 2 ? '---:' : '---')));
for (const {
  effects,
  size,
  looks = USUAL,
  smallest,
  scenario = 'independent runs',
  missing = 0,
  settings = 1,
} of SETTINGS) {
  const count = Math.ceil(sweeps / settings);
  const tally = simulateLooks(
    { effects: size === 0 ? NO_EFFECTS : times(EFFECTS, size), missing: { share: missing }, ...SCENARIOS[scenario] },
    ruleOf(looks, smallest ?? null),
    { sweeps: count, settings, name: `${effects} ${scenario}` },
  );
  row([
    effects,
    looks.join(', '),
    smallest ?? '',
    `${scenario}${missing === 0 ? '' : `, ${100 * missing} % missing`}`,
    settings,
    percent(tally.wrong, count),
    percent(tally.found, tally.verdicts),
    percent(tally.small, tally.verdicts),
    tally.seeds.toFixed(1),
    percent(tally.early, count),
    percent(tally.fixedWrong, count),
    percent(tally.fixedFound, tally.verdicts),
    percent(tally.naiveWrong, count),
  ]);
}
