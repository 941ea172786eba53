/** Objectives × evaluations: a chart of each evaluation, with the objectives in the same rows. */
import { metricTitle, type NamedMetric } from '../../../stages/metrics.js';
import type { ReportData } from '../../collect.js';
import { transferOf, type TransferRow } from '../../transfer.js';
import type { DotChart, DotRow, Figure } from '../chart.js';
import { withSpread } from '../numbers.js';
import { BARS, rowLabel } from './words.js';

/** None if there are fewer than two evaluations or rows. */
export function transferFigure(data: ReportData, compared: NamedMetric): Figure | null {
  const found = transferOf(data, compared);
  if (found === null || found.rows.length < 2) return null;
  const charts = found.metrics.flatMap((metric): DotChart[] => {
    const rows = found.rows.map((row) => dotOf(row, metric.name));
    if (rows.every(({ mean }) => mean === null)) return [];
    return [
      {
        kind: 'dots',
        title: metric.data === null ? metric.name : `${metric.name} on ${metric.data}`,
        description: describe(rows),
        x: { title: metricTitle(metric) },
        rows,
        reference: null,
      },
    ];
  });
  if (charts.length < 2) return null;
  return {
    id: 'figure-transfer',
    title: 'Objectives under each evaluation',
    caption: `Each chart has a scale of its own; the rows are the same. Rings: single seeds. ${BARS}`,
    charts,
  };
}

function dotOf(row: TransferRow, metric: string): DotRow {
  const cell = row.cells.get(metric);
  return {
    label: rowLabel(row),
    mean: cell?.statistics.mean ?? null,
    spread: cell?.statistics.std ?? null,
    values: cell?.values ?? [],
  };
}

const describe = (rows: readonly DotRow[]): string =>
  `${rows.map(({ label, mean, spread }) => `${label} ${mean === null ? 'not given' : withSpread(mean, spread)}`).join('; ')}.`;
