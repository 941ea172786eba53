/** How much evaluations that are repeated vary: between pre-trainings, and between the repeats of one pre-training. */
import { measurementsOf } from '../../evidence/measurements.js';
import { componentsOf, pooled, squaresOf, type Squares } from '../../statistics/variance-components.js';
import { describeMetric, type NamedMetric } from '../../stages/metrics.js';
import type { ReportData } from '../collect.js';
import { rowsOf } from '../comparison.js';
import { metricsIn } from '../../evidence/metric.js';
import type { BuildTable, Column, Row } from '../table.js';
import { METRIC, OBJECTIVE, SETTING } from './columns.js';

/** The row of an evaluation over all objectives. */
const ALL = 'all';

const COLUMNS: Column[] = [
  METRIC,
  { ...OBJECTIVE, description: 'The objective; all: pooled over the rows of the evaluation.' },
  SETTING,
  {
    key: 'pretrainings',
    label: 'pre-trainings',
    description: 'Pre-trainings with a result, or seeds if there is no pre-training.',
    digits: 0,
  },
  { key: 'runs', label: 'runs', description: 'Repeats with a result, of all pre-trainings.', digits: 0 },
  {
    key: 'between_std',
    label: 'between pre-trainings',
    description:
      'Standard deviation between pre-trainings, without the part of repeats; 0 if the estimate is negative.',
    digits: 2,
  },
  {
    key: 'within_std',
    label: 'within',
    description: 'Standard deviation between the repeats of one pre-training.',
    digits: 2,
  },
  { key: 'unit', label: 'unit', description: 'The unit of the standard deviations; empty if the metric has none.' },
  {
    key: 'share',
    label: 'share between',
    description: 'The part of the variance of a single run that lies between pre-trainings.',
    digits: 2,
  },
];

export const varianceTable: BuildTable = (data) => {
  const metrics = metricsIn(data).filter(({ name, entry, repeats }) => name === entry && repeats > 1);
  if (metrics.length === 0) return null;
  return {
    title: 'Variance of repeats',
    caption:
      `Of evaluations that are repeated for each pre-training: ${metrics.map(describeMetric).join('; ')}. Standard deviations ` +
      'by the method of moments (one-way analysis of variance with random groups), in the unit of a difference of the metric. ' +
      'More repeats lower only the part within; more pre-trainings lower both.',
    columns: COLUMNS,
    rows: metrics.flatMap((metric) => rowsOfMetric(data, metric)),
    summary: {},
  };
};

function rowsOfMetric(data: ReportData, metric: NamedMetric): Row[] {
  const rows = rowsOf(measurementsOf(data, metric)).map(({ objective, setting, measurements }) => ({
    objective,
    setting,
    squares: squaresOf(measurements.map(({ repeats }) => repeats)),
  }));
  const all = { objective: ALL, setting: '', squares: pooled(rows.map(({ squares }) => squares)) };
  return [...rows, ...(rows.length > 1 ? [all] : [])].map(({ objective, setting, squares }) => ({
    metric: metric.name,
    objective,
    setting,
    ...cellsOf(squares, metric),
  }));
}

function cellsOf(squares: Squares, { metric }: NamedMetric): Row {
  const components = componentsOf(squares);
  const std = (variance: number | undefined): number | null => (variance === undefined ? null : Math.sqrt(variance));
  return {
    pretrainings: squares.groups,
    runs: squares.runs,
    between_std: std(components?.between),
    within_std: std(components?.within),
    share: components?.share ?? null,
    unit: metric.unit?.difference ?? null,
  };
}
