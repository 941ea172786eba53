/** Intersection over union of each class: a row for each objective, a column for each class. */
import { isMapping, valueAt } from '../../common/tree.js';
import { metricsIn } from '../../evidence/metric.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { EVALUATION_ENTRIES } from '../../stages/index.js';
import type { NamedMetric } from '../../stages/metrics.js';
import type { ReportData } from '../collect.js';
import { rowsOf, unhealthyIn, type ObjectiveRow } from '../comparison.js';
import type { BuildTable, Column, Row } from '../table.js';
import { EVALUATION, OBJECTIVE, SETTING, UNHEALTHY } from './columns.js';

const percent = (key: string, label: string, description: string): Column => {
  return { key, label, description, unit: '%', digits: 1 };
};

export const segmentationTable: BuildTable = (data) => {
  const metrics = metricsIn(data).filter(
    ({ protocol, key }) => key === EVALUATION_ENTRIES[protocol].segmentation?.meanIou,
  );
  if (metrics.length === 0) return null;
  const classes = [...new Set(metrics.flatMap((metric) => classesOf(data, metric)))];
  return {
    title: 'Segmentation',
    caption:
      'Intersection over union of each class in percent, from the confusion matrix of the whole test set, averaged over the ' +
      'seeds. A class that a run has neither in its masks nor in its predictions does not count.',
    columns: [
      EVALUATION,
      OBJECTIVE,
      SETTING,
      percent('mean_iou', 'mean IoU', 'Mean over the classes of a run, then over the seeds.'),
      percent('std', 'std', 'Sample standard deviation of that over the seeds.'),
      percent('pixel_accuracy', 'pixel accuracy', 'Share of the pixels with a class that are predicted right.'),
      ...classes.map((name): Column => ({ ...percent(columnOf(name), name, `IoU of the class ${name}.`), aside: 4 })),
      { key: 'n', label: 'n', description: 'Seeds with a result that counts.', digits: 0 },
      { key: 'planned', label: 'planned', description: 'Seeds in the plan.', digits: 0, aside: 5 },
      UNHEALTHY,
    ],
    rows: metrics.flatMap((metric) => rowsOfMetric(data, metric, classes)),
    summary: {},
  };
};

const columnOf = (className: string): string => `iou_${className}`;

/** The classes that results of an evaluation name, in the order of the data set. */
function classesOf({ stages }: ReportData, { entry, protocol }: NamedMetric): string[] {
  const { segmentation } = EVALUATION_ENTRIES[protocol];
  if (segmentation === undefined) return [];
  return [...stages.values()].flatMap(({ entry: own, result }) => {
    const found = own === entry ? valueAt(result, [segmentation.classIou]) : undefined;
    return isMapping(found) ? Object.keys(found) : [];
  });
}

function rowsOfMetric(data: ReportData, metric: NamedMetric, classes: readonly string[]): Row[] {
  const { segmentation } = EVALUATION_ENTRIES[metric.protocol];
  if (segmentation === undefined) return [];
  // Each has the same rows: they differ in the number that is read.
  const rowsFor = (key: string): ObjectiveRow[] =>
    rowsOf(measurementsOf(data, { ...metric, key, name: `${metric.entry}.${key}` }));
  const accuracy = rowsFor(segmentation.pixelAccuracy);
  const ofClasses = classes.map((name) => [columnOf(name), rowsFor(`${segmentation.classIou}.${name}`)] as const);
  return rowsFor(metric.key).map((row, i): Row => {
    const { objective, setting, statistics, measurements } = row;
    return {
      evaluation: metric.entry,
      ...{ objective, setting },
      ...{ mean_iou: statistics.mean, std: statistics.std, n: statistics.n },
      pixel_accuracy: accuracy[i]!.statistics.mean,
      ...Object.fromEntries(ofClasses.map(([column, rows]) => [column, rows[i]!.statistics.mean])),
      ...{ planned: measurements.length, unhealthy: unhealthyIn(row) },
    };
  });
}
