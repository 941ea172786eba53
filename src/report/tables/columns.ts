/** Columns that several tables have, and how their cells are made from a row of a comparison. */
import type { NamedMetric } from '../../stages/metrics.js';
import { epochsOfRow, unhealthyIn, type ObjectiveRow } from '../comparison.js';
import { paperAccuracy, zoomDeparture } from '../paper.js';
import type { Column, Row } from '../table.js';

export const OBJECTIVE: Column = { key: 'objective', label: 'objective', description: 'What is recovered from what.' };
export const EVALUATION: Column = {
  key: 'evaluation',
  label: 'evaluation',
  description: 'The name of the evaluation in the spec.',
  aside: 3,
};
export const SETTING: Column = {
  key: 'setting',
  label: 'setting',
  description: 'Keys in which the rows differ besides objective and seed; empty if there are none.',
};
const MEAN: Column = {
  key: 'mean',
  label: 'mean',
  description: 'Mean over the seeds that count, on the test set, at the last epoch.',
  measures: 'value',
};
const STD: Column = {
  key: 'std',
  label: 'std',
  description: 'Sample standard deviation over these seeds.',
  measures: 'value',
};
const N: Column = { key: 'n', label: 'n', description: 'Seeds with a result that counts.', digits: 0 };
const PLANNED: Column = { key: 'planned', label: 'planned', description: 'Seeds in the plan.', digits: 0, aside: 3 };
export const UNHEALTHY: Column = {
  key: 'unhealthy',
  label: 'unhealthy',
  description: 'Runs whose training, or pre-training, did not work; no other number of the row counts them.',
  digits: 0,
  mark: true,
};
export const ACCURACY_COLUMNS: Column[] = [MEAN, STD, N, PLANNED, UNHEALTHY];

export const PAPER: Column = {
  key: 'paper_accuracy',
  label: 'paper',
  description: 'What the paper reports: ViT-B/16 on ImageNet-1k, fine-tuned after 300 epochs of pre-training.',
  unit: '%',
  digits: 1,
  aside: 4,
};
export const EPOCH: Column = {
  key: 'epoch',
  label: 'epoch',
  description: 'Epochs of the evaluation after which the accuracy was read; always the last.',
  digits: 0,
  aside: 8,
};
export const METRIC: Column = {
  key: 'metric',
  label: 'metric',
  description: 'How encoders are measured: the name of an evaluation, with a dot and a key for a further metric of it.',
  aside: 9,
};

/** The cells of the columns above. */
export function commonCells(row: ObjectiveRow, metric: NamedMetric): Row {
  const { objective, setting, measurements, statistics } = row;
  return {
    objective,
    setting,
    mean: statistics.mean,
    std: statistics.std,
    n: statistics.n,
    planned: measurements.length,
    unhealthy: unhealthyIn(row),
    paper_accuracy: paperAccuracy(row),
    epoch: epochsOfRow(row),
    metric: metric.name,
  };
}

/** A sentence for each zoom that is not the paper's, each once. */
export function departures(rows: readonly ObjectiveRow[]): string[] {
  const sentences = rows.flatMap(({ measurements }) =>
    measurements.flatMap(({ task }) => (task === null ? [] : (zoomDeparture(task) ?? []))),
  );
  return [...new Set(sentences)];
}
