/** Two sweeps, or two plans, side by side: the keys that differ, and the cells that changed and by how much. */
import { describeMetric, type NamedMetric } from '../../stages/metrics.js';
import type { ReportData } from '../collect.js';
import { measurementsOf, type Measurement } from '../../evidence/measurements.js';
import { holm } from '../../statistics/holm.js';
import { differingKeys, valuesOf } from '../plan-values.js';
import type { Column, Row, Table } from '../table.js';
import { withUnits } from '../units.js';
import { pairCells, type CellPair } from './cells.js';
import { differenceOf, summaryOf, type Difference, type SideSummary } from './difference.js';

export interface PlanComparison {
  /** The keys whose values differ between the sides. */
  keys: Table;
  /** The cells that both have, with their differences. */
  cells: Table;
  /** The cells that only one has. */
  only: Table;
  /** Runs of cells that both have, without a result. */
  missing: number;
  /** Such runs whose training did not work. */
  unhealthy: number;
}

/** Compares two collections of results by a metric, B minus A. */
export function compare(a: ReportData, b: ReportData, metric: NamedMetric): PlanComparison {
  const pairs = pairCells(measurementsOf(a, metric), measurementsOf(b, metric));
  const common = pairs.flatMap((pair) =>
    pair.a === null || pair.b === null ? [] : [{ pair, difference: differenceOf(pair.a, pair.b) }],
  );
  const sides = common.flatMap(({ difference }) => [difference.a, difference.b]);
  return {
    keys: keysTable(a, b),
    cells: withUnits(cellsTable(common, metric), metric),
    only: withUnits(onlyTable(pairs, metric), metric),
    missing: sumOf(sides, ({ planned, n, unhealthy }) => planned - n - unhealthy),
    unhealthy: sumOf(sides, ({ unhealthy }) => unhealthy),
  };
}

const sumOf = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((sum, item) => sum + value(item), 0);

function keysTable(a: ReportData, b: ReportData): Table {
  const values = [a, b].map(({ jobs, stages }) =>
    valuesOf({ jobs, stages: [...stages.values()].map(({ stage }) => stage) }),
  );
  const keys = differingKeys(values);
  return {
    name: 'compare-keys',
    title: 'Keys that differ',
    caption:
      keys.length === 0
        ? 'Both have the same values of every key.'
        : 'All values of each key on each side; empty if a side does not have the key.',
    columns: [
      { key: 'key', label: 'key', description: 'An axis, or a key of the configuration.' },
      { key: 'a', label: 'A', description: 'Its values in A.' },
      { key: 'b', label: 'B', description: 'Its values in B.' },
    ],
    rows: keys.map(({ key, values: [left = [], right = []] }) => ({ key, a: left.join(', '), b: right.join(', ') })),
    summary: {},
  };
}

const CELL: Column[] = [
  { key: 'objective', label: 'objective', description: 'What is recovered from what.' },
  { key: 'mask_ratio', label: 'mask ratio', description: 'Fraction of the tokens removed.', digits: 2 },
  { key: 'setting', label: 'setting', description: 'The keys that vary among the cells of the objective.' },
];

const count = (key: string, label: string, description: string): Column => ({ key, label, description, digits: 0 });

const CELLS: Column[] = [
  ...CELL,
  { key: 'a', label: 'A', description: 'Mean in A, over the seeds compared.', measures: 'value' },
  { key: 'b', label: 'B', description: 'Mean in B, over the seeds compared.', measures: 'value' },
  { key: 'difference', label: 'B − A', description: 'Difference of these means.', measures: 'difference' },
  {
    key: 'ci_low',
    label: '95 % from',
    description: 'Confidence interval of only this difference, its lower end; empty if there is none.',
    measures: 'difference',
  },
  { key: 'ci_high', label: 'to', description: 'Its upper end.', measures: 'difference' },
  {
    key: 'p_adjusted',
    label: 'adjusted p',
    description: "p value of no difference, adjusted by Holm's method for all rows that have one.",
    digits: 3,
  },
  count('pairs', 'pairs', 'Seeds that are paired; 0: no two seeds are in both, and all seeds are compared unpaired.'),
  count('n_a', 'n A', 'Runs of A with a result that counts.'),
  count('n_b', 'n B', 'Runs of B with a result that counts.'),
  { key: 'changed', label: 'changed keys', description: 'The keys of the cell that have another value in B.' },
  { key: 'seeds_a', label: 'seeds only in A', description: 'Planned seeds that B does not have.' },
  { key: 'seeds_b', label: 'seeds only in B', description: 'Planned seeds that A does not have.' },
  count('planned_a', 'planned A', 'Runs of A in the plan.'),
  count('planned_b', 'planned B', 'Runs of B in the plan.'),
  {
    ...count('unhealthy', 'unhealthy', 'Runs of either whose training did not work; nothing counts them.'),
    mark: true,
  },
  { key: 'p', label: 'p', description: 'p value for this row only.', digits: 3 },
];

interface Compared {
  pair: CellPair;
  difference: Difference;
}

function cellsTable(compared: readonly Compared[], metric: NamedMetric): Table {
  const ps = compared.flatMap(({ difference: { p } }, row) => (p === null ? [] : [{ row, p }]));
  const adjusted = new Map(holm(ps.map(({ p }) => p)).map((p, place) => [ps[place]!.row, p]));
  return {
    name: 'compare-cells',
    title: 'Cells that both have',
    caption:
      `B minus A in ${describeMetric(metric)}. Differences are paired by seed if both sides have at least two of the ` +
      "same seeds; otherwise they are Welch's over all seeds. Each 95 % interval is for its row only. The p values are " +
      `adjusted for the ${ps.length} differences tested, by Holm's method.`,
    columns: CELLS,
    rows: compared.map(({ pair, difference }, row) => ({
      ...cellOf(pair),
      a: difference.a.mean,
      b: difference.b.mean,
      difference: difference.mean,
      ci_low: difference.interval?.[0] ?? null,
      ci_high: difference.interval?.[1] ?? null,
      p_adjusted: adjusted.get(row) ?? null,
      pairs: difference.pairs,
      n_a: difference.a.n,
      n_b: difference.b.n,
      changed: pair.changed.join(', '),
      seeds_a: seedsBeyond(pair.a!, pair.b!),
      seeds_b: seedsBeyond(pair.b!, pair.a!),
      planned_a: difference.a.planned,
      planned_b: difference.b.planned,
      unhealthy: difference.a.unhealthy + difference.b.unhealthy,
      p: difference.p,
    })),
    summary: { tested: ps.length },
  };
}

function onlyTable(pairs: readonly CellPair[], metric: NamedMetric): Table {
  const rows = pairs.flatMap((pair): Row[] => {
    const { a, b } = pair;
    if (a !== null && b !== null) return [];
    const summary: SideSummary = summaryOf((a ?? b)!);
    return [
      {
        ...cellOf(pair),
        side: a === null ? 'B' : 'A',
        mean: summary.mean,
        n: summary.n,
        planned: summary.planned,
        unhealthy: summary.unhealthy,
      },
    ];
  });
  return {
    name: 'compare-only',
    title: 'Cells that only one has',
    caption: rows.length === 0 ? 'There are none.' : `Their ${describeMetric(metric)}.`,
    columns: [
      { key: 'side', label: 'only in', description: 'The side that has the cell.' },
      ...CELL,
      { key: 'mean', label: 'mean', description: 'Mean over the runs that count.', measures: 'value' },
      count('n', 'n', 'Runs with a result that counts.'),
      count('planned', 'planned', 'Runs in the plan.'),
      { ...count('unhealthy', 'unhealthy', 'Runs whose training did not work; nothing counts them.'), mark: true },
    ],
    rows,
    summary: {},
  };
}

const cellOf = ({ objective, maskRatio, setting }: CellPair): Row => ({ objective, mask_ratio: maskRatio, setting });

function seedsBeyond(own: readonly Measurement[], other: readonly Measurement[]): string {
  const known = new Set(other.map(({ seed }) => seed));
  return own.flatMap(({ seed }) => (known.has(seed) ? [] : [seed])).join(', ');
}
