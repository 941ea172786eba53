import { readFileSync } from 'node:fs';
import { planOf } from '../runner/support.js';
import { KEPT_SPREADS } from '../../src/report/power/kept.js';
import { powerTables } from '../../src/report/power/tables.js';
import { buildTables } from '../../src/report/report.js';
import { selectionTable } from '../../src/report/tables/selection.js';
import { metric } from '../support/entries.js';
import { dataOf } from './support.js';

const document = readFileSync(`${process.cwd()}/docs/tables.md`, 'utf8');
const ofTable = (wanted: string, job: string) =>
  buildTables(dataOf(planOf(`job: {${job}}`))).filter(({ name }) => name === wanted);
const robustness = ofTable('robustness', 'evaluate: [robustness]');
const segmentation = ofTable('segmentation', 'data: {masks: true}, evaluate: [segment]');
const tables = buildTables(
  dataOf(planOf('job: {evaluate: [finetune, {protocol: linear, repeats: 2}]}\ngrid: {objective: [scratch, masked]}')),
).concat(robustness, segmentation);

const plain = dataOf(planOf('grid: {objective: [scratch, masked]}'));
const all = [
  ...tables,
  { name: 'selection', ...selectionTable({ ...plain, selections: [] }, { metric: metric('finetune') })! },
];

// The columns of runs.csv follow from the sweep; docs/tables.md has them as NAME_….
test.each(all.filter(({ name }) => name !== 'runs'))('docs/tables.md has every column of $name', (table) => {
  const section = document.split(/^## /m).find((part) => part.split('\n')[0]!.includes(`${table.name}.csv`));
  expect(section).toBeDefined();
  for (const { key } of table.columns) expect(section).toContain(`\`${key}\``);
});

test('docs/tables.md has every column of the power tables that has one name', () => {
  const question = { seeds: [3], differences: [1], alpha: 0.05, power: 0.8 };
  for (const { name, columns } of powerTables(KEPT_SPREADS, question)) {
    const section = document.split(/^#+ /m).find((part) => part.split('\n')[0] === `${name}.csv`);
    for (const { key } of columns) if (!KEPT_SPREADS.has(key)) expect(section).toContain(`\`${key}\``);
  }
});
