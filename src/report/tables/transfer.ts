/** Objectives × evaluations: how well the pre-trainings of an objective transfer to several tasks and data sets. */
import { describeMetric } from '../../stages/metrics.js';
import { describeP } from '../../statistics/summary.js';
import type { BuildTable, Column, Row } from '../table.js';
import { transferOf, type Transfer, type TransferTest } from '../transfer.js';
import { OBJECTIVE, SETTING, UNHEALTHY } from './columns.js';

const RANKS: Column[] = [
  {
    key: 'mean_rank',
    label: 'mean rank',
    description:
      'Mean over the data sets of the mean place within each, over the evaluations of which all comparable rows have a ' +
      'result; 1 the best.',
    digits: 2,
  },
  {
    key: 'wins',
    label: 'wins',
    description: 'Evaluations in which the row is the best; ties count for each.',
    digits: 0,
  },
  {
    key: 'p_best',
    label: 'p to the best',
    description:
      "p value that the mean rank differs from the best one, by Nemenyi's test with permutations; it holds for all pairs " +
      'of rows together. 1 for the best row.',
    digits: 3,
  },
  { key: 'ranked', label: 'of', description: 'Evaluations that the ranks and wins are over.', digits: 0 },
];

const N: Column = { key: 'n', label: 'n', description: 'Seeds that count: the fewest of any evaluation.', digits: 0 };

export const transferTable: BuildTable = (data, { metric: compared }) => {
  const found = transferOf(data, compared);
  if (found === null) return null;
  const { metrics, rows, tests, ambiguous } = found;
  return {
    title: 'Transfer',
    caption: [
      `Each objective under each evaluation, over seeds: ${metrics.map(describeMetric).join('; ')}.`,
      ...ambiguous.map((name) => `${name} has no column with values, since keys of it vary between the cells.`),
      ...tests.map(describeTest),
    ].join(' '),
    columns: [
      OBJECTIVE,
      SETTING,
      ...metrics.map(({ name, metric }): Column => ({
        key: name,
        label: name,
        description: `Mean over seeds: ${metric.name}.`,
        ...(metric.unit === null ? {} : { unit: metric.unit.symbol }),
        digits: metric.digits,
      })),
      ...RANKS,
      N,
      UNHEALTHY,
    ],
    rows: rows.map((row) => cellsOf(row, found)),
    summary: Object.fromEntries(
      tests.flatMap(({ setting, friedman }) => {
        const suffix = setting === '' ? '' : ` ${setting}`;
        return [
          [`friedman${suffix}`, friedman?.statistic ?? null],
          [`friedman_p${suffix}`, friedman?.p ?? null],
        ];
      }),
    ),
  };
};

function cellsOf(row: Transfer['rows'][number], { metrics, tests }: Transfer): Row {
  const { objective, setting, cells, meanRank, wins, behindBest } = row;
  const own = [...cells.values()];
  const ranked = tests.find((test) => test.setting === setting) ?? tests[0];
  return {
    objective,
    setting,
    ...Object.fromEntries(metrics.map(({ name }) => [name, cells.get(name)?.statistics.mean ?? null])),
    mean_rank: meanRank,
    wins,
    p_best: behindBest,
    ranked: meanRank === null ? null : (ranked?.evaluations.length ?? null),
    n: Math.min(...own.map(({ statistics }) => statistics.n)),
    unhealthy: own.reduce((sum, { unhealthy }) => sum + unhealthy, 0),
  };
}

function describeTest({ setting, objectives, evaluations, datasets, friedman }: TransferTest): string {
  const scope = setting === '' ? '' : ` for ${setting}`;
  if (objectives < 2) return `No test${scope}: fewer than two objectives have a result.`;
  if (datasets < 2)
    return `No test${scope}: the evaluations with a result of every objective are not of two data sets.`;
  if (friedman === null) return `No test${scope}: the objectives have equal mean places in every data set.`;
  const { statistic, p } = friedman;
  return (
    `Test of a difference between the objectives over the data sets${scope}: Friedman's χ² ${statistic.toFixed(2)} ` +
    `(p ${describeP(p)} by permutation within data sets; ${objectives} objectives, ${datasets} data sets, ${evaluations.length} evaluations). ` +
    'Evaluations on one data set are related, so their places are averaged first.'
  );
}
