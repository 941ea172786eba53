/**
 * Every column of the tables of a small sweep, against pandas, SciPy and statsmodels (tables.py), constants and counts
 * by hand. The sweep has a missing run, and one with an unhealthy pre-training.
 */
import { planOf, resultOf } from '../runner/support.js';
import { collectedFrom } from '../report/support.js';
import { buildTables } from '../../src/report/report.js';
import type { Row, Table } from '../../src/report/table.js';
import { readFixture } from './fixture.js';

type Run = [mask: number, misalignment: string, style: string, seed: number, accuracy: number];
interface Fixture {
  runs: Run[];
  scratch: number[];
  missing: [number, string, string, number];
  unhealthy: [number, string, string, number];
  tables: Record<string, Row[]>;
  correlations: Record<string, number>;
}
const fixture = readFixture('tables') as Fixture;

const plan = planOf(`
name: small
job: {degradation: {zoomedIn: {fraction: 224/288}}}
grid:
  objective: [identity]
  maskRatio: [0, 0.75]
  misalignment: [none, zoomed-in, distorted]
  stylePreservation: [preserved, blurred]
  seed: [0, 1, 2]
include:
  - {objective: scratch, seed: [0, 1, 2]}`);

const data = collectedFrom(plan, ({ task, seed }, kind) => {
  if (task === null) return resultOf(kind, { accuracy: fixture.scratch[seed]! });
  const triple = [task.maskRatio, task.geometry.kind, task.style.kind, seed];
  const is = (other: readonly (number | string)[]): boolean => other.join() === triple.join();
  // A loss of 1 is that of a zero prediction.
  if (kind === 'pretrain') return resultOf(kind, { loss: is(fixture.unhealthy) ? 1 : 0.5 });
  const accuracy = fixture.runs.find((run) => is(run.slice(0, 4)))![4];
  return is(fixture.missing) ? null : resultOf(kind, { accuracy });
});
const tables = new Map(buildTables(data).map((table) => [table.name, table]));

const PAPER: Record<string, number> = { 'zoomed-in': 82.7, distorted: 82.1, blurred: 81.8, masked: 82.9 };

/** The paper's accuracy of a cell, from the table of docs/tables.md. */
function paperOf({ mask_ratio, misalignment, style }: Row): number | null {
  if (mask_ratio === 0.75 && misalignment === 'zoomed-in' && style === 'preserved') return 83.2;
  const parts = [mask_ratio === 0 ? '' : 'masked', String(misalignment), String(style)].filter(
    (part) => !['', 'none', 'preserved'].includes(part),
  );
  return parts.length === 1 ? (PAPER[parts[0]!] ?? null) : null;
}

const CONTEXTS: Record<string, number> = {
  mask: 6,
  misalignment: 4,
  style: 6,
  'mask × misalignment': 2,
  'mask × style': 3,
  'misalignment × style': 2,
};

const EVERYWHERE = { setting: '', metric: 'finetune', epoch: 20 };
const TRIPLES: Record<string, Row> = {
  scratch: { mask_ratio: null, misalignment: null, style: null },
  identity: { mask_ratio: 0, misalignment: 'none', style: 'preserved' },
  blurred: { mask_ratio: 0, misalignment: 'none', style: 'blurred' },
  decolorized: { mask_ratio: 0, misalignment: 'none', style: 'decolorized' },
  distorted: { mask_ratio: 0, misalignment: 'distorted', style: 'preserved' },
  'zoomed-out': { mask_ratio: 0, misalignment: 'zoomed-out', style: 'preserved' },
  'zoomed-in': { mask_ratio: 0, misalignment: 'zoomed-in', style: 'preserved' },
  masked: { mask_ratio: 0.75, misalignment: 'none', style: 'preserved' },
  'masked+zoomed-in': { mask_ratio: 0.75, misalignment: 'zoomed-in', style: 'preserved' },
  'masked+blurred': { mask_ratio: 0.75, misalignment: 'none', style: 'blurred' },
  'masked+distorted': { mask_ratio: 0.75, misalignment: 'distorted', style: 'preserved' },
  'zoomed-in+blurred': { mask_ratio: 0, misalignment: 'zoomed-in', style: 'blurred' },
  'distorted+blurred': { mask_ratio: 0, misalignment: 'distorted', style: 'blurred' },
  'masked+zoomed-in+blurred': { mask_ratio: 0.75, misalignment: 'zoomed-in', style: 'blurred' },
  'masked+distorted+blurred': { mask_ratio: 0.75, misalignment: 'distorted', style: 'blurred' },
};

/** Columns that are not in the fixture: constants, and counts by hand. */
const REST: Record<string, (row: Row) => Row> = {
  objectives: (row) => ({ ...TRIPLES[String(row.objective)]!, epoch: row.n === 0 ? null : 20 }),
  integration: ({ objective }) => ({
    paper_accuracy: objective === 'masked+zoomed-in' ? 83.2 : PAPER[String(objective)]!,
    // 82.7 − 82.9 and 83.2 − 82.9.
    paper_difference: objective === 'masked' ? null : objective === 'zoomed-in' ? -0.2 : 0.3,
    pretrain_images_per_second: 100,
  }),
  'mask-ratio': (row) => ({ paper_accuracy: paperOf(row) }),
  misalignment: (row) => ({ paper_accuracy: paperOf(row) }),
  'style-preservation': (row) => ({ paper_accuracy: paperOf(row) }),
  effects: ({ effect }) => ({ contexts: CONTEXTS[String(effect)]!, contexts_planned: CONTEXTS[String(effect)]! }),
  efficiency: () => ({ paper_accuracy: null, pretrain_images_per_second: 100, pretrain_seconds: 2 }),
};

/** Columns with their own tests: counted FLOPs, and the epochs of the default recipe. */
const ELSEWHERE: Record<string, readonly string[]> = {
  efficiency: ['flops_per_image', 'flops_to_masked', 'pretrain_epochs'],
};

const KEYS = ['objective', 'effect', 'level', 'mask_ratio', 'misalignment', 'style'];

function expectNumber(found: Row[string], wanted: Row[string], where: string): void {
  if (typeof wanted !== 'number' || typeof found !== 'number') expect([where, found]).toEqual([where, wanted]);
  else expect([where, Math.abs(found - wanted) < 1e-7 ? wanted : found]).toEqual([where, wanted]);
}

describe.each(Object.keys(fixture.tables))('every column of %s', (name) => {
  const table: Table = tables.get(name)!;
  const expected = fixture.tables[name]!.map((row) => ({ ...EVERYWHERE, ...row, ...REST[name]!(row) }));
  const identity = (row: Row): string =>
    KEYS.filter((key) => key in expected[0]!)
      .map((key) => String(row[key]))
      .join();

  test('is checked', () => {
    const checked = [...Object.keys(expected[0]!), ...(ELSEWHERE[name] ?? [])].sort();
    expect(table.columns.map(({ key }) => key).sort()).toEqual(checked);
  });

  test('has the expected rows, and no others', () => {
    expect(table.rows.map(identity).sort()).toEqual(expected.map(identity).sort());
  });

  test('has the expected numbers', () => {
    for (const wanted of expected) {
      const found = table.rows.find((row) => identity(row) === identity(wanted))!;
      for (const [key, value] of Object.entries(wanted)) {
        expectNumber(found[key] ?? null, value, `${identity(wanted)}: ${key}`);
      }
    }
  });
});

test("the rank correlations with the paper are SciPy's, with exact p values and the range over the seeds", () => {
  const { summary, caption } = tables.get('objectives')!;
  expect(Object.keys(summary)).toEqual(Object.keys(fixture.correlations));
  for (const [key, value] of Object.entries(fixture.correlations)) expect(summary[key]).toBeCloseTo(value, 10);
  expect(caption).toContain('from means over seeds 0, 1, 2, which all 6 rows have.');
});
