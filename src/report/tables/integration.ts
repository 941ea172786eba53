/** The paper's integrated method against its two parts: what misalignment adds to masking, and what it costs. */
import { describeMetric } from '../../stages/metrics.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { counterpart, pairedDifferences, rowsOf, withPaperRows, type ObjectiveRow } from '../comparison.js';
import { namedTask, PAPER_ACCURACY, paperAccuracy, paperObjective, type PaperObjective } from '../paper.js';
import { summaryStatistics } from '../../statistics/summary.js';
import type { BuildTable, Column, Row, TableContent } from '../table.js';
import { ACCURACY_COLUMNS, commonCells, departures, EPOCH, METRIC, OBJECTIVE, PAPER, SETTING } from './columns.js';

const ROWS: readonly PaperObjective[] = ['zoomed-in', 'masked', 'masked+zoomed-in'];

const COLUMNS: Column[] = [
  OBJECTIVE,
  SETTING,
  ...ACCURACY_COLUMNS,
  {
    key: 'difference_to_masked',
    label: 'to masked',
    description: 'Mean difference to masked, paired by seed.',
    measures: 'value',
  },
  {
    key: 'difference_std',
    label: 'std of difference',
    description: 'Sample standard deviation of the paired differences.',
    measures: 'value',
    aside: 5,
  },
  { key: 'difference_n', label: 'pairs', description: 'Seeds that both have.', digits: 0, aside: 2 },
  PAPER,
  {
    key: 'paper_difference',
    label: 'paper to masked',
    description: "The paper's difference to masked.",
    unit: '%',
    digits: 1,
    aside: 5,
  },
  {
    key: 'pretrain_images_per_second',
    label: 'pre-training images/s',
    description: 'Mean speed of pre-training over the seeds: what the objective costs.',
    digits: 0,
    aside: 7,
  },
  EPOCH,
  METRIC,
];

export const integrationTable: BuildTable<TableContent> = (data, { metric }) => {
  const measurements = measurementsOf(data, metric).filter(({ task, weights }) => {
    const objective = paperObjective(namedTask(task, weights));
    return objective !== undefined && ROWS.includes(objective);
  });
  const rows = withPaperRows(rowsOf(measurements), ROWS);
  return {
    title: 'Integration',
    caption: [
      `Masking and zooming in, apart and together: ${describeMetric(metric)}, over seeds.`,
      ...departures(rows),
    ].join(' '),
    columns: COLUMNS,
    rows: rows.map((row): Row => ({
      ...commonCells(row, metric),
      ...differences(row, rows),
      pretrain_images_per_second: summaryStatistics(
        row.measurements.flatMap(({ pretrain }) => pretrain?.imagesPerSecond ?? []),
      ).mean,
    })),
    summary: {},
  };
};

function differences(row: ObjectiveRow, rows: readonly ObjectiveRow[]): Row {
  const masked = row.objective === 'masked' ? undefined : counterpart(row, 'masked', rows);
  const { mean, std, n } = summaryStatistics(masked === undefined ? [] : pairedDifferences(row, masked));
  const paper = paperAccuracy(row)! - PAPER_ACCURACY.masked!;
  return {
    difference_to_masked: mean,
    difference_std: std,
    difference_n: row.objective === 'masked' ? null : n,
    // The paper gives one digit; the subtraction of floats would give more.
    paper_difference: row.objective === 'masked' ? null : Math.round(paper * 10) / 10,
  };
}
