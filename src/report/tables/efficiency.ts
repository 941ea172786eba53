/** Cost and accuracy of each objective by epochs of pre-training: a check of the paper's "at no extra computation". */
import { pretrainCost } from '../../spec/flops.js';
import { describeMetric } from '../../stages/metrics.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { compareRows, counterpart, emptyRow, pairedDifferences, rowsOf, type ObjectiveRow } from '../comparison.js';
import { studentInterval } from '../../statistics/interval.js';
import { paperAccuracyAfter, type PaperObjective } from '../paper.js';
import { summaryStatistics } from '../../statistics/summary.js';
import type { BuildTable, Column, Row, TableContent } from '../table.js';
import { ACCURACY_COLUMNS, commonCells, EPOCH, METRIC, OBJECTIVE, SETTING } from './columns.js';

const COLUMNS: Column[] = [
  OBJECTIVE,
  SETTING,
  { key: 'pretrain_epochs', label: 'pre-training epochs', description: 'As the recipe has them.', aside: 5 },
  ...ACCURACY_COLUMNS,
  {
    key: 'difference_to_masked',
    label: 'to masked',
    description: 'Mean difference to masked in the same setting and at the same mask ratio, paired by seed.',
    measures: 'difference',
  },
  {
    key: 'ci_low',
    label: '95 % from',
    description: "Student's 95 % confidence interval over the seeds, its lower end.",
    measures: 'difference',
  },
  { key: 'ci_high', label: 'to', description: 'Its upper end.', measures: 'difference' },
  { key: 'difference_n', label: 'pairs', description: 'Seeds that both have.', digits: 0, aside: 2 },
  {
    key: 'flops_per_image',
    label: 'FLOPs/image',
    description: 'Counted floating-point operations of a forward pass of pre-training; 2 for each multiply-add.',
    digits: 0,
    aside: 6,
  },
  {
    key: 'flops_to_masked',
    label: 'FLOPs to masked',
    description: 'As a multiple of masked in the same setting.',
    digits: 2,
  },
  {
    key: 'pretrain_images_per_second',
    label: 'images/s',
    description: 'Mean speed of pre-training over the seeds; compare on one machine only.',
    digits: 0,
    aside: 6,
  },
  {
    key: 'pretrain_seconds',
    label: 'time',
    description: 'Mean wall time of the last attempt at pre-training.',
    unit: 's',
    digits: 0,
    aside: 1,
  },
  {
    key: 'paper_accuracy',
    label: 'paper',
    description: "The paper's accuracy at as many epochs on ImageNet-1k, if its figure has this number of epochs.",
    unit: '%',
    digits: 1,
    aside: 7,
  },
  EPOCH,
  METRIC,
];

export const efficiencyTable: BuildTable<TableContent> = (data, { metric }) => {
  const measurements = measurementsOf(data, metric).filter(({ task }) => task !== null);
  const measured = rowsOf(measurements);
  const lacking = ALWAYS.filter((name) => !measured.some(({ objective }) => objective === name));
  const rows = [...measured, ...lacking.map(emptyRow)]
    .map((row) => ({ row, epochs: epochsOfPretraining(row) }))
    .sort((a, b) => compareRows(a.row, b.row) || Number(a.epochs) - Number(b.epochs))
    .map(({ row }) => row);
  return {
    title: 'Efficiency',
    caption: [
      `The cost of pre-training beside ${describeMetric(metric)}, over seeds.`,
      ...rows.flatMap((row) => checkOfCost(row, rows)),
    ].join(' '),
    columns: COLUMNS,
    rows: rows.map((row) => cellsOf(row, rows, metric)),
    summary: {},
  };
};

/** The objectives of the paper's comparison. If the plan lacks one of them, its row has n = 0. */
const ALWAYS: readonly PaperObjective[] = ['masked', 'masked+zoomed-in'];

function cellsOf(row: ObjectiveRow, rows: readonly ObjectiveRow[], metric: Parameters<typeof commonCells>[1]): Row {
  const masked = row.objective === 'masked' ? undefined : counterpart(row, 'masked', rows);
  const differences = masked === undefined ? [] : pairedDifferences(row, masked);
  const { mean, n } = summaryStatistics(differences);
  const interval = studentInterval(differences);
  const epochs = epochsOfPretraining(row);
  return {
    ...commonCells(row, metric),
    pretrain_epochs: epochs,
    difference_to_masked: mean,
    ci_low: interval?.[0] ?? null,
    ci_high: interval?.[1] ?? null,
    difference_n: row.objective === 'masked' ? null : n,
    flops_per_image: flopsOf(row),
    flops_to_masked: flopsToMasked(row, rows),
    pretrain_images_per_second: meanOf(row, 'imagesPerSecond'),
    pretrain_seconds: meanOf(row, 'seconds'),
    paper_accuracy: paperAccuracyAfter(row, epochs),
  };
}

function meanOf({ measurements }: ObjectiveRow, key: 'imagesPerSecond' | 'seconds'): number | null {
  return summaryStatistics(measurements.flatMap(({ pretrain }) => pretrain?.[key] ?? [])).mean;
}

/** null if the row has no jobs, or its jobs differ. */
function epochsOfPretraining(row: ObjectiveRow): number | null {
  return theOne(row.measurements.flatMap(({ pretrainConfig }) => pretrainConfig?.recipe.epochs ?? []));
}

function flopsOf(row: ObjectiveRow): number | null {
  return theOne(
    row.measurements.flatMap(({ pretrainConfig }) =>
      pretrainConfig === null ? [] : pretrainCost(pretrainConfig.model, pretrainConfig.task).forward,
    ),
  );
}

function theOne(values: readonly number[]): number | null {
  const distinct = new Set(values);
  return distinct.size === 1 ? [...distinct][0]! : null;
}

function flopsToMasked(row: ObjectiveRow, rows: readonly ObjectiveRow[]): number | null {
  const masked = row.objective === 'masked' ? row : counterpart(row, 'masked', rows);
  const [own, other] = [flopsOf(row), masked === undefined ? null : flopsOf(masked)];
  return own === null || other === null ? null : own / other;
}

/** Whether the integrated method needs more than masking. */
function checkOfCost(row: ObjectiveRow, rows: readonly ObjectiveRow[]): string[] {
  const masked = counterpart(row, 'masked', rows);
  const ratio = flopsToMasked(row, rows);
  if (row.objective !== 'masked+zoomed-in' || masked === undefined || ratio === null) return [];
  const setting = row.setting === '' ? '' : ` (${row.setting})`;
  const [own, other] = [meanOf(row, 'imagesPerSecond'), meanOf(masked, 'imagesPerSecond')];
  const speed = own === null || other === null ? '' : `; it saw ${(own / other).toFixed(2)} times the images a second`;
  const verdict = ratio === 1 ? 'takes the same FLOPs' : `takes ${ratio.toFixed(3)} times the FLOPs`;
  return [`masked+zoomed-in${setting} ${verdict} per image as masked, counted${speed}, measured.`];
}
