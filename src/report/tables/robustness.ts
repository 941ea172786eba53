/** Top-1 errors on corrupted images: a row for each objective, a column for each corruption. */
import {
  CORRUPTION_NAMES,
  CORRUPTIONS,
  COUNTED_CORRUPTIONS,
  type CorruptionName,
} from '../../data/corruptions/index.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { EVALUATION_ENTRIES, measuresCorruptions } from '../../stages/index.js';
import type { NamedMetric } from '../../stages/metrics.js';
import { summaryStatistics } from '../../statistics/summary.js';
import type { ReportData } from '../collect.js';
import { counterpart, rowsOf, unhealthyIn, type ObjectiveRow } from '../comparison.js';
import { metricsIn } from '../../evidence/metric.js';
import type { BuildTable, Column, Row } from '../table.js';
import { EVALUATION, OBJECTIVE, SETTING, UNHEALTHY } from './columns.js';

const percent = (key: string, label: string, description: string): Column => {
  return { key, label, description, unit: '%', digits: 1 };
};

const COLUMNS: Column[] = [
  EVALUATION,
  { key: 'model', label: 'model', description: 'What was trained on clean images, and then measured.', aside: 2 },
  OBJECTIVE,
  SETTING,
  percent(
    'mean_error',
    'mean error',
    `Mean of the errors on the ${COUNTED_CORRUPTIONS.length} corruptions of ImageNet-C, over the seeds.`,
  ),
  percent('std', 'std', 'Sample standard deviation of that over the seeds.'),
  percent('relative_error', 'to scratch', 'Mean over these corruptions of the error divided by the error of scratch.'),
  percent('clean_error', 'clean', 'Error on the images as they are.'),
  ...Object.values(CORRUPTIONS).map(({ name, title, category }): Column => {
    const apart = category === 'extra' ? ' It does not count in the mean.' : '';
    return { ...percent(name, title, `Mean error on ${title} over its 5 severities.${apart}`), aside: 4 };
  }),
  { key: 'n', label: 'n', description: 'Seeds with a result that counts.', digits: 0 },
  { key: 'planned', label: 'planned', description: 'Seeds in the plan.', digits: 0, aside: 5 },
  UNHEALTHY,
];

export const robustnessTable: BuildTable = (data) => {
  const metrics = metricsIn(data).filter((metric) => metric.key === 'meanError' && isMeasured(data, metric));
  if (metrics.length === 0) return null;
  return {
    title: 'Robustness',
    caption:
      'Top-1 errors in percent on corrupted test images, of models that were trained on clean images. The mean corruption ' +
      'error is not normalised by the error of AlexNet.',
    columns: COLUMNS,
    rows: metrics.flatMap((metric) => rowsOfMetric(data, metric)),
    summary: {},
  };
};

/** Whether some stage of an evaluation measures the corruptions: fine-tuning does only if its recipe says so. */
const isMeasured = (data: ReportData, { entry }: NamedMetric): boolean =>
  [...data.stages.values()].some(({ entry: own, stage }) => own === entry && measuresCorruptions(stage.config));

function rowsOfMetric(data: ReportData, metric: NamedMetric): Row[] {
  const rowsFor = (key: string): ObjectiveRow[] =>
    rowsOf(measurementsOf(data, { ...metric, key, name: `${metric.entry}.${key}` }));
  const { corruptions } = EVALUATION_ENTRIES[metric.protocol];
  if (corruptions === undefined) return [];
  const errors = new Map(CORRUPTION_NAMES.map((name) => [name, rowsFor(corruptions.keyOf(name))]));
  const clean = rowsFor('accuracy');
  const rows = rowsFor('meanError');
  return rows.map((row, i): Row => {
    const meanOf = (name: CorruptionName): number | null => errors.get(name)![i]!.statistics.mean;
    const accuracy = clean[i]!.statistics.mean;
    return {
      ...{ evaluation: metric.entry, model: corruptions.model },
      ...{ objective: row.objective, setting: row.setting },
      ...{ mean_error: row.statistics.mean, std: row.statistics.std, n: row.statistics.n },
      relative_error: relativeError(row, rows, errors),
      clean_error: accuracy === null ? null : 100 - accuracy,
      ...Object.fromEntries(CORRUPTION_NAMES.map((name) => [name, meanOf(name)])),
      ...{ planned: row.measurements.length, unhealthy: unhealthyIn(row) },
    };
  });
}

/** In percent of the errors of scratch; null if an error of scratch is missing or 0. */
function relativeError(
  row: ObjectiveRow,
  rows: readonly ObjectiveRow[],
  errors: ReadonlyMap<CorruptionName, readonly ObjectiveRow[]>,
): number | null {
  const scratch = row.objective === 'scratch' ? row : counterpart(row, 'scratch', rows);
  if (scratch === undefined) return null;
  const [own, base] = [rows.indexOf(row), rows.indexOf(scratch)];
  const ratios = COUNTED_CORRUPTIONS.map((name) => {
    const [value, reference] = [own, base].map((i) => errors.get(name)![i]!.statistics.mean);
    return value == null || !reference ? NaN : value / reference;
  });
  const { mean } = summaryStatistics(ratios);
  return mean === null || !Number.isFinite(mean) ? null : 100 * mean;
}
