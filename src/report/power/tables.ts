/** Tables for choosing the seeds of the next sweep: spreads, intervals, and numbers of seeds. */
import { groupBy } from '../../common/group-by.js';
import { halfWidth, MOST_SEEDS, seedsNeeded } from '../../statistics/power.js';
import type { Column, Table } from '../table.js';
import { describeFewRuns, designOf, scaleOf, type Spread } from './spread.js';

/** The question of a power analysis. */
export interface PowerQuestion {
  /** Numbers of seeds that have an interval, each at least 2. */
  seeds: readonly number[];
  /** Differences that a test is to find, in the unit of each metric. */
  differences: readonly number[];
  /** Two-sided level of the test; intervals have 1 − alpha. */
  alpha: number;
  /** The probability of finding a difference. */
  power: number;
}

export type Spreads = ReadonlyMap<string, Spread>;

/** The three tables. */
export function powerTables(spreads: Spreads, question: PowerQuestion): Table[] {
  return [spreadTable(spreads), intervalsTable(spreads, question), seedsTable(spreads, question)];
}

const unitOf = (spread: Spread): { unit?: string } => {
  const { unit } = scaleOf(spread);
  return unit === null ? {} : { unit: unit.difference };
};

const DEVIATION = { digits: 2 } as const;

function spreadTable(spreads: Spreads): Table {
  const warnings = groupBy(
    [...spreads].flatMap(([metric, spread]) => {
      const warning = describeFewRuns(spread);
      return warning === null ? [] : [{ metric, warning }];
    }),
    ({ warning }) => warning,
  );
  const few = [...warnings].map(([warning, of]) => `${of.map(({ metric }) => metric).join(', ')}: ${warning}.`);
  return {
    name: 'power-spread',
    title: 'Spread',
    caption: [
      'Standard deviations in the unit of a difference of the metric, pooled over cells and over the pairs of cells that are ' +
        'compared. If the paired and the unpaired deviation are equal, pairing by seed gains nothing.',
      ...few,
    ].join(' '),
    columns: [
      { key: 'metric', label: 'metric', description: 'The metric.' },
      { key: 'unit', label: 'unit', description: 'The unit of its differences; empty if it has none.' },
      { key: 'cells', label: 'cells', description: 'Cells with at least two seeds.', digits: 0 },
      { key: 'runs', label: 'runs', description: 'Runs in them that count.', digits: 0 },
      { key: 'seed_std', label: 'SD of a seed', description: 'Over the seeds of a cell.', ...DEVIATION },
      {
        key: 'difference_std',
        label: 'SD of a difference, paired',
        description: 'Over the seeds, of the difference of two cells; empty if no two cells share two seeds.',
        ...DEVIATION,
      },
      { key: 'unpaired_std', label: 'unpaired', description: '√2 times the deviation of a seed.', ...DEVIATION },
      {
        key: 'repeat_std',
        label: 'SD of a repeat',
        description: 'Between the repeats of one pre-training; empty if an evaluation has no repeats.',
        ...DEVIATION,
      },
      { key: 'correlation', label: 'correlation', description: 'Of the seeds of two cells.', digits: 2 },
    ],
    rows: [...spreads].map(([metric, spread]) => ({
      metric,
      unit: unitOf(spread).unit ?? null,
      cells: spread.cells,
      runs: spread.runs,
      seed_std: spread.seedStd,
      difference_std: spread.differenceStd,
      unpaired_std: Math.SQRT2 * spread.seedStd,
      repeat_std: spread.repeatStd ?? null,
      correlation: spread.correlation,
    })),
    summary: {},
  };
}

/** How the metrics are compared, in whole sentences. */
function describeDesigns(spreads: Spreads): string {
  const unpaired = [...spreads].flatMap(([metric, spread]) => (designOf(spread).pairing === 'paired' ? [] : [metric]));
  if (unpaired.length === 0) return 'Cells are paired by seed.';
  const which = unpaired.length === spreads.size ? '' : ` by ${unpaired.join(', ')}`;
  return `Cells are compared unpaired${which}, since no two of them share two seeds with a spread.`;
}

function intervalsTable(spreads: Spreads, { seeds, alpha }: PowerQuestion): Table {
  const percent = (100 * (1 - alpha)).toPrecision(3).replace(/\.?0+$/, '');
  return {
    name: 'power-intervals',
    title: `Half-width of the ${percent} % interval of a difference of two cells`,
    caption: `Student's interval is the difference ± this, with so many seeds in each cell. ${describeDesigns(spreads)}`,
    columns: [
      { key: 'seeds', label: 'seeds', description: 'Seeds of each cell.', digits: 0 },
      ...[...spreads].map(([metric, spread]): Column => ({
        key: metric,
        label: metric,
        description: 'Half-width, in the unit of a difference.',
        digits: scaleOf(spread).digits,
        ...unitOf(spread),
      })),
    ],
    rows: seeds.map((n) => ({
      seeds: n,
      ...Object.fromEntries([...spreads].map(([metric, spread]) => [metric, halfWidth(designOf(spread), n, alpha)])),
    })),
    summary: { alpha },
  };
}

function seedsTable(spreads: Spreads, { differences, alpha, power }: PowerQuestion): Table {
  const needed = differences.map((difference) => ({
    difference,
    seeds: [...spreads].map(
      ([metric, spread]) => [metric, seedsNeeded(designOf(spread), { difference, alpha, power })] as const,
    ),
  }));
  const beyond = needed.some(({ seeds }) => seeds.some(([, n]) => n === null));
  return {
    name: 'power-seeds',
    title: 'Seeds needed',
    caption: [
      `The fewest seeds of each cell with which Student's two-sided test at the level ${alpha} finds a true difference of two cells ` +
        `with a probability of at least ${power}. ${describeDesigns(spreads)} For several comparisons, divide the level by their ` +
        'number: --alpha 0.01 for five.',
      ...(beyond ? [`Empty: more than ${MOST_SEEDS.toLocaleString('en')}.`] : []),
    ].join(' '),
    columns: [
      { key: 'difference', label: 'difference', description: 'A true difference, in the unit of the metric.' },
      ...[...spreads.keys()].map((metric): Column => ({
        key: metric,
        label: metric,
        description: 'Seeds needed; empty if they are too many.',
        digits: 0,
      })),
    ],
    rows: needed.map(({ difference, seeds }) => ({ difference, ...Object.fromEntries(seeds) })),
    summary: { alpha, power },
  };
}
