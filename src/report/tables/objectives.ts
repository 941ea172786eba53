/** The paper's comparison of objectives: ours beside its numbers, ranks, and how far the two orders agree. */
import { capitalized } from '../../common/text.js';
import { resolveTriple } from '../../spec/cells.js';
import { describeMetric } from '../../stages/metrics.js';
import { OBJECTIVE_ORDER, PAPER_ACCURACY, paperAccuracy, paperObjective } from '../paper.js';
import { agreementWith, type Agreement, type Correlation } from '../agreement.js';
import { measurementsOf } from '../../evidence/measurements.js';
import {
  comparisonsOf,
  counterpart,
  pairedDifferences,
  ranksOf,
  rowsOf,
  withPaperRows,
  type ObjectiveRow,
} from '../comparison.js';
import { describeP, ranks, summaryStatistics } from '../../statistics/summary.js';
import type { BuildTable, Column, Row, TableContent } from '../table.js';
import { ACCURACY_COLUMNS, commonCells, departures, EPOCH, METRIC, OBJECTIVE, PAPER, SETTING } from './columns.js';

const COLUMNS: Column[] = [
  OBJECTIVE,
  { key: 'mask_ratio', label: 'mask ratio', description: 'Fraction of the tokens removed.', digits: 2, aside: 5 },
  {
    key: 'misalignment',
    label: 'misalignment',
    description: 'How the input grid is moved against the target grid.',
    aside: 6,
  },
  { key: 'style', label: 'style', description: "How the input's pixels are changed.", aside: 6 },
  SETTING,
  ...ACCURACY_COLUMNS,
  {
    key: 'gain_over_scratch',
    label: 'gain',
    description: 'Mean difference to scratch in the same setting, paired by seed.',
    measures: 'value',
  },
  {
    key: 'rank',
    label: 'rank',
    description:
      'Place by mean, over the seeds that all these rows have, among the rows that the paper reports, 1 the best; equal means share their places.',
  },
  PAPER,
  { key: 'paper_rank', label: 'paper rank', description: "Place among the paper's eight numbers.", aside: 7 },
  EPOCH,
  METRIC,
];

export const objectivesTable: BuildTable<TableContent> = (data, { metric }) => {
  const rows = withPaperRows(
    rowsOf(measurementsOf(data, metric)),
    REPORTED.map(({ objective }) => objective),
  );
  const isReported = (row: ObjectiveRow): boolean => paperAccuracy(row) !== null;
  const comparisons = comparisonsOf(rows.filter(isReported));
  const agreements = comparisons.map(({ setting, rows: compared }) => ({
    setting,
    agreement: agreementWith(paperAccuracy, compared),
  }));
  const own = ranksOf(comparisons);
  return {
    title: 'Objectives',
    caption: [
      `${capitalized(describeMetric(metric))}, over seeds; the paper's are of ViT-B/16 on ImageNet-1k.`,
      ...agreements.map(({ setting, agreement }) => describeAgreement(setting, agreement)),
      ...departures(rows),
    ].join(' '),
    columns: COLUMNS,
    rows: rows.map((row): Row => ({
      ...commonCells(row, metric),
      ...tripleOf(row),
      gain_over_scratch: gainOverScratch(row, rows),
      rank: own.get(row) ?? null,
      paper_rank: paperRank(row),
    })),
    summary: Object.fromEntries(
      agreements.flatMap(({ setting, agreement }) => {
        const suffix = setting === '' ? '' : ` ${setting}`;
        return [
          ...summaryOf('spearman', suffix, agreement.kind === 'found' ? agreement.spearman : null),
          ...summaryOf('kendall', suffix, agreement.kind === 'found' ? agreement.kendall : null),
        ];
      }),
    ),
  };
};

function summaryOf(name: string, suffix: string, found: Correlation | null): [string, number | null][] {
  return [
    [`${name}${suffix}`, found?.value ?? null],
    [`${name}_p${suffix}`, found?.p ?? null],
    [`${name}_lowest_seed${suffix}`, found?.range?.[0] ?? null],
    [`${name}_highest_seed${suffix}`, found?.range?.[1] ?? null],
  ];
}

/** The triple of a row, also if no job has it. */
function tripleOf({ objective, maskRatio }: ObjectiveRow): Row {
  const resolved = resolveTriple(objective, {});
  if (resolved.kind !== 'triple') return { mask_ratio: null, misalignment: null, style: null };
  return { mask_ratio: maskRatio, misalignment: resolved.misalignment, style: resolved.style };
}

const REPORTED = OBJECTIVE_ORDER.flatMap((objective) => {
  const accuracy = PAPER_ACCURACY[objective];
  return accuracy === null ? [] : [{ objective, accuracy }];
});
const PLACES = ranks(REPORTED.map(({ accuracy }) => accuracy));
const PAPER_RANK = new Map(REPORTED.map(({ objective }, i) => [objective, PLACES[i]!]));

function paperRank(row: ObjectiveRow): number | null {
  const objective = paperObjective(row);
  return objective === undefined ? null : (PAPER_RANK.get(objective) ?? null);
}

function gainOverScratch(row: ObjectiveRow, rows: readonly ObjectiveRow[]): number | null {
  const scratch = row.objective === 'scratch' ? undefined : counterpart(row, 'scratch', rows);
  return scratch === undefined ? null : summaryStatistics(pairedDifferences(row, scratch)).mean;
}

function describeAgreement(setting: string, agreement: Agreement): string {
  const scope = setting === '' ? '' : ` for ${setting}`;
  if (agreement.kind === 'withheld') return `No rank correlation with the paper${scope}: ${agreement.why}.`;
  const { spearman, kendall, rows, seeds } = agreement;
  return (
    `Rank correlation with the paper${scope}: Spearman's ${describeCorrelation(spearman)}, Kendall's τ-b ` +
    `${describeCorrelation(kendall)}, from means over seeds ${seeds.join(', ')}, which all ${rows} rows have. ` +
    'p is from the permutation test. The range is over single seeds; it is no confidence interval.'
  );
}

function describeCorrelation({ value, p, range }: Correlation): string {
  const spread = range === null ? '' : `, single seeds ${range[0].toFixed(2)} to ${range[1].toFixed(2)}`;
  return `${value.toFixed(2)} (p ${describeP(p)}${spread})`;
}
