/** The principles as numbers: main effects and two-way interactions of mask, misalignment and style, paired by seed. */
import { stream, type Random } from '../../common/random.js';
import { describeMetric, type NamedMetric } from '../../stages/metrics.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { epochsOfRow, unhealthyIn } from '../comparison.js';
import { cellsOf, estimate } from '../../evidence/contrasts.js';
import { effectsOf, type Effect } from '../../evidence/effects.js';
import { factorialsOf, type Factorial } from '../../evidence/factorial.js';
import { bootstrapInterval } from '../../statistics/bootstrap.js';
import { signFlipTest } from '../../statistics/sign-flip.js';
import type { BuildTable, Column, Row, TableContent } from '../table.js';
import { EPOCH, METRIC, SETTING, UNHEALTHY } from './columns.js';
import { strengthDepartures } from '../../evidence/strengths.js';

const points = (key: string, label: string, description: string, aside?: number): Column => ({
  key,
  label,
  description,
  measures: 'difference',
  ...(aside === undefined ? {} : { aside }),
});
const count = (key: string, label: string, description: string, aside: number): Column => {
  return { key, label, description, digits: 0, aside };
};

const COLUMNS: Column[] = [
  SETTING,
  { key: 'kind', label: 'kind', description: 'main or interaction.', aside: 2 },
  { key: 'effect', label: 'effect', description: 'The factor, or the two that interact.' },
  {
    key: 'level',
    label: 'level',
    description: 'Compared with the level that degrades nothing; any: all others together.',
  },
  points('estimate', 'estimate', 'What the level adds, or how much more it adds on top of the other factor.'),
  points('std', 'std', "Standard deviation of a seed's contrast.", 4),
  points('ci_low', '95 % from', "Student's 95 % confidence interval over the seeds, its lower end."),
  points('ci_high', 'to', 'Its upper end.'),
  {
    key: 'p',
    label: 'p',
    description: "Two-sided p value of Student's test for this row only; see Verdicts for adjusted ones.",
    digits: 3,
  },
  {
    key: 'df',
    label: 'df',
    description: 'Degrees of freedom: n − 1, fewer if runs are missing.',
    digits: 1,
    aside: 5,
  },
  count('n', 'n', 'Seeds with at least two of the cells.', 1),
  count('planned', 'planned', 'Such seeds in the plan.', 3),
  count('filled', 'filled', 'Missing runs of these seeds, filled by the fit of cells and seeds.', 3),
  UNHEALTHY,
  count('contexts', 'contexts', 'Combinations of the other factors whose cells all have a result.', 4),
  count('contexts_planned', 'contexts planned', 'Those in the plan, which the effect is averaged over.', 5),
  points(
    'bootstrap_low',
    'bootstrap from',
    'Percentile bootstrap over the seeds, 95 %; too narrow for few seeds; empty if missing runs are filled.',
    6,
  ),
  points('bootstrap_high', 'to', 'Its upper end.', 6),
  {
    key: 'p_seeds',
    label: 'p (seeds)',
    description: 'Sign-flip test over the seeds; never below 2 / 2ⁿ, .25 for three; empty if missing runs are filled.',
    digits: 3,
    aside: 6,
  },
  EPOCH,
  METRIC,
];

export const effectsTable: BuildTable<TableContent> = (data, { metric }) => {
  const effects = factorialsOf(measurementsOf(data, metric)).flatMap((factorial) =>
    effectsOf(factorial).map((effect) => ({ factorial, effect })),
  );
  const comparisons = effects.flatMap(({ effect: { contrasts } }) => contrasts.map(cellsOf));
  return {
    title: 'Effects',
    caption: [
      `What each part of the degradation does to ${describeMetric(metric)} at the last epoch, paired by seed`,
      'and averaged over the levels of the other parts. Interactions are differences of differences. Each is a 95 %',
      'interval for its row only: of twenty rows without an effect, one excludes zero.',
      ...strengthDepartures(comparisons),
    ].join(' '),
    columns: COLUMNS,
    rows: effects.map(({ factorial, effect }) => rowOf(factorial, effect, metric)),
    summary: {},
  };
};

function rowOf({ setting }: Factorial, { kind, factors, levels, contrasts }: Effect, metric: NamedMetric): Row {
  const effect = factors.join(' × ');
  const level = levels.join(' × ');
  const found = estimate(contrasts);
  const random = (what: string): Random => stream(0, 'report', what, setting, effect, level);
  // Contrasts with filled runs are not independent, which both resampling and sign flips take for granted.
  const independent = found.filled === 0 ? found.bySeed : [];
  const bootstrap = bootstrapInterval(independent, random('bootstrap'));
  const cells = new Set(contrasts.flatMap(cellsOf));
  const measurements = [...cells].flatMap((cell) => cell.measurements);
  return {
    setting,
    kind,
    effect,
    level,
    estimate: found.mean,
    std: found.std,
    ci_low: found.interval?.[0] ?? null,
    ci_high: found.interval?.[1] ?? null,
    p: found.p,
    df: found.degrees,
    n: found.n,
    planned: found.planned,
    filled: found.filled,
    unhealthy: unhealthyIn({ measurements }),
    contexts: found.contexts,
    contexts_planned: found.contextsPlanned,
    bootstrap_low: bootstrap?.[0] ?? null,
    bootstrap_high: bootstrap?.[1] ?? null,
    p_seeds: signFlipTest(independent, random('signs of seeds')),
    epoch: epochsOfRow({ measurements }),
    metric: metric.name,
  };
}
