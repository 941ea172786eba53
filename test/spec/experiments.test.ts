/** The specs we ship: each expands to what its own header promises. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { buildTables } from '../../src/report/report.js';
import { TABLE_NAMES, type TableName } from '../../src/report/tables/index.js';
import { STAGE_KINDS } from '../../src/stages/index.js';
import { dataOf } from '../report/support.js';
import { planOf } from '../runner/support.js';

const files = readdirSync('experiments').filter((file) => file.endsWith('.yaml'));

const recipes = [...readFileSync('docs/recipes.md', 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)].map(
  ([, text]) => text!,
);

/** Tables that tasks.yaml does not fill: it chooses no values. */
const NOT_OF_TASKS: readonly TableName[] = ['selection'];

it('tasks.yaml fills every table but those that need another kind of sweep', () => {
  const data = dataOf(planOf(readFileSync('experiments/tasks.yaml', 'utf8')));
  const tables = new Map(buildTables(data).map((table) => [table.name, table]));
  expect(TABLE_NAMES.filter((name) => !tables.has(name))).toEqual(NOT_OF_TASKS);
  for (const { name, columns, rows } of tables.values()) {
    const measured = columns.filter(({ measures, unit }) => measures !== undefined || unit === '%' || unit === 's');
    const numbers = rows.flatMap((row) =>
      measured.flatMap(({ key }) => (typeof row[key] === 'number' ? [row[key]] : [])),
    );
    if (!['variance', 'repeats'].includes(name))
      expect({ name, filled: numbers.length > 0 }).toEqual({ name, filled: true });
    expect({ name, rows: rows.length > 0 }).toEqual({ name, rows: true });
  }
  const valueOf = (name: string, key: string) => tables.get(name)!.rows.map((row) => row[key]);
  expect(valueOf('variance', 'within_std')).not.toContain(null);
  expect(valueOf('repeats', 'metric')).toContain('ten-shot');
  expect(valueOf('robustness', 'model')).toEqual(expect.arrayContaining(['linear probe', 'fine-tuned weights']));
});

it('tasks.yaml has every kind of evaluation', () => {
  const { stages } = planOf(readFileSync('experiments/tasks.yaml', 'utf8'));
  expect(new Set(stages.map(({ config }) => config.kind))).toEqual(new Set(STAGE_KINDS));
});

it.each(recipes.map((text, i) => [i + 1, text] as const))('block %d of docs/recipes.md is a valid spec', (_i, text) => {
  const spec = text.startsWith('job:') ? text : `job:\n${text.replaceAll(/^/gm, '  ')}`;
  expect(planOf(spec).stages.length).toBeGreaterThan(0);
});

it.each(files)('%s opens with its command and expands to the jobs and stages it promises', (file) => {
  const text = readFileSync(join('experiments', file), 'utf8');
  const header = text.slice(0, text.indexOf('\nname:'));
  expect(header).toContain(`npx vitmim sweep experiments/${file}`);
  expect(header).toContain('yaml-language-server: $schema=../schema/sweep.schema.json');
  const promise = /(\d+) jobs[^,]*, (?:\D*, )?(\d+) stages/.exec(header.replaceAll('\n#', ''));
  const readText = (path: string): string => readFileSync(join('experiments', path), 'utf8');
  const { jobs, stages } = buildPlan(readSweep(text, { file, defaultName: 'x', readText }), () => 'fingerprint');
  expect(promise?.slice(1).map(Number)).toStrictEqual([jobs.length, stages.length]);
});
