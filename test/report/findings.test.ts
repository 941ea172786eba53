/** docs/findings.md says what the reports of the kept records say: each row of its tables is a verdict, rounded. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRINCIPLES } from '../../src/evidence/principles.js';
import { collect } from '../../src/report/collect.js';
import { buildVerdicts } from '../../src/report/report.js';
import type { Verdict } from '../../src/report/verdicts.js';
import { describeP } from '../../src/statistics/summary.js';

const REFERENCE = 'results/reference';
/** Of engine revision 1, whose init the page does not judge the principles by. */
const OLD = ['cifar10-cpu'];
const folders = readdirSync(REFERENCE).filter(
  (name) => existsSync(join(REFERENCE, name, 'stages')) && !OLD.includes(name),
);

/** `+1.23` with the minus sign of the page. */
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

/** The cells that a verdict has on the page, after the name of its sweep. */
function cellsOf({ estimate: { mean, interval, n }, adjusted, outcome }: Verdict): string[] {
  const [low, high] = interval!;
  return [
    String(n),
    signed(mean!),
    `${signed(low)} to ${signed(high)}`,
    describeP(adjusted!).replace('= ', ''),
    outcome,
  ];
}

/** The rows of a principle's section, by the sweep that they link. */
function rowsOf(section: string): Map<string, string[]> {
  const rows = section.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const sweep = /^\[.*\]\(\.\.\/results\/reference\/([\w-]+)\/report\.md\)/.exec(cells[1] ?? '')?.[1];
    return sweep === undefined ? [] : [[sweep, cells.slice(2, -1)] as const];
  });
  return new Map(rows);
}

const page = readFileSync('docs/findings.md', 'utf8');
const sections = new Map(
  page.split(/^## /m).map((section) => [section.slice(0, section.indexOf('\n')).trim(), section]),
);

const verdicts = folders.flatMap((folder) =>
  buildVerdicts(collect([join(REFERENCE, folder)])).map((verdict) => ({ folder, ...verdict })),
);

test.each(PRINCIPLES.map(({ name }) => name))('%s: every kept sweep that asks it', (principle) => {
  const asked = verdicts.filter((verdict) => verdict.asked && verdict.principle === principle);
  expect(rowsOf(sections.get(principle) ?? '')).toEqual(
    new Map(asked.map((verdict) => [verdict.folder, cellsOf(verdict)])),
  );
});
