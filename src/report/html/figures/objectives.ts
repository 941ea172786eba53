/**
 * Objectives beside the paper's accuracies. The two differ by dozens of points and mean different data and models, so
 * each has a chart of its own with a scale of its own; what can be compared is the order and the distance to scratch.
 */
import { groupBy } from '../../../common/group-by.js';
import { metricTitle, type NamedMetric } from '../../../stages/metrics.js';
import { type Measurement } from '../../../evidence/measurements.js';
import {
  compareRows,
  comparisonsOf,
  haveSeveralMasks,
  rowsOf,
  type Comparison,
  type ObjectiveRow,
} from '../../comparison.js';
import { PAPER_ACCURACY, paperAccuracy } from '../../paper.js';
import type { DotChart, DotRow, Figure } from '../chart.js';
import { withSpread } from '../numbers.js';
import { BARS, rowLabel, titled } from './words.js';

/** None if fewer than two rows can be compared. */
export function objectivesFigure(measurements: readonly Measurement[], metric: NamedMetric): Figure | null {
  const comparisons = comparisonsOf(rowsOf(measurements)).filter(({ rows }) => rows.length > 1);
  if (comparisons.length === 0) return null;
  return {
    id: 'figure-objectives',
    title: 'Objectives, here and in the paper',
    caption:
      'Each chart has a scale of its own: data, model and training differ, so compare orders and distances to scratch ' +
      `(dashed), not heights. Rings: single seeds. ${BARS} The paper gives one number each.`,
    charts: [
      ...comparisons.map((comparison) => ownChart(comparison, metric)),
      paperChart(comparisons.flatMap(({ rows }) => rows)),
    ],
  };
}

function ownChart({ setting, rows }: Comparison, metric: NamedMetric): DotChart {
  const dots = rows.map((row): DotRow => ({ ...dotOf(row), label: rowLabel(row, setting) }));
  const scratch = rows.filter(({ objective }) => objective === 'scratch');
  const mean = scratch.length === 1 ? scratch[0]!.statistics.mean : null;
  return {
    kind: 'dots',
    title: titled('Here', setting),
    description: describe(dots),
    x: { title: metricTitle(metric) },
    rows: dots,
    reference: mean === null ? null : { value: mean, label: `scratch: ${mean.toFixed(2)}` },
  };
}

function dotOf({ statistics, measurements }: ObjectiveRow): Omit<DotRow, 'label'> {
  return {
    mean: statistics.mean!,
    spread: statistics.std,
    values: measurements.flatMap(({ accuracy }) => accuracy ?? []),
  };
}

/** A row for each task that is shown. */
function paperChart(shown: readonly ObjectiveRow[]): DotChart {
  const severalRatios = haveSeveralMasks(shown);
  const labelOf = ({ objective, maskRatio }: ObjectiveRow): string =>
    severalRatios && maskRatio > 0 ? `${maskRatio} ${objective}` : objective;
  // A task without a number keeps an empty row, so that the rows of the charts stand side by side.
  const rows = [...groupBy(shown.toSorted(compareRows), labelOf)].map(([label, [row]]): DotRow => {
    return { label, mean: paperAccuracy(row!), spread: null, values: [] };
  });
  const scratch = PAPER_ACCURACY.scratch!;
  return {
    kind: 'dots',
    title: 'The paper: ViT-B/16, ImageNet-1k',
    description: describe(rows),
    x: { title: 'Top-1 (%), finetune' },
    rows,
    reference: { value: scratch, label: `scratch: ${scratch.toFixed(1)}` },
  };
}

const describe = (rows: readonly DotRow[]): string =>
  `${rows.map(({ label, mean, spread }) => `${label} ${mean === null ? 'not given' : withSpread(mean, spread)}`).join('; ')}.`;
