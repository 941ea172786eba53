/** The principles as numbers: main effects and two-way interactions of mask, misalignment and style, paired by seed. */
import { stream, type Random } from '../../common/random.js';
import { epochsOf, measurementsOf } from '../comparison.js';
import { cellsOf, estimate } from '../contrasts.js';
import { effectsOf, type Effect } from '../effects.js';
import { factorialsOf, type Factorial } from '../factorial.js';
import { bootstrapInterval } from '../inference/bootstrap.js';
import { signFlipTest } from '../inference/sign-flip.js';
import type { BuildTable, Column, Row } from '../table.js';
import { EPOCH, METRIC, SETTING } from './columns.js';
import { strengthDepartures } from '../strengths.js';

const points = (key: string, label: string, description: string): Column => ({
  key,
  label,
  description,
  unit: 'points',
  digits: 2,
});
const count = (key: string, label: string, description: string): Column => ({ key, label, description, digits: 0 });

const COLUMNS: Column[] = [
  SETTING,
  { key: 'kind', label: 'kind', description: 'main or interaction.' },
  { key: 'effect', label: 'effect', description: 'The factor, or the two that interact.' },
  {
    key: 'level',
    label: 'level',
    description: 'Compared with the level that degrades nothing; any: all others together.',
  },
  points('estimate', 'estimate', 'What the level adds, or how much more it adds on top of the other factor.'),
  points('std', 'std', 'Sample standard deviation of the estimate from one seed to another.'),
  points('ci_low', '95 % from', "Student's 95 % confidence interval over the seeds, its lower end."),
  points('ci_high', 'to', 'Its upper end.'),
  count('n', 'n', 'Seeds taken.'),
  count('planned', 'planned', 'Seeds in the plan.'),
  count('contexts', 'contexts', 'Combinations of the other factors over which the effect is averaged.'),
  count('contexts_planned', 'contexts planned', 'Those in the plan.'),
  points('bootstrap_low', 'bootstrap from', 'Percentile bootstrap over the seeds, 95 %; too narrow for few seeds.'),
  points('bootstrap_high', 'to', 'Its upper end.'),
  {
    key: 'p_seeds',
    label: 'p (seeds)',
    description: 'Sign-flip test over the seeds; never below 2 / 2ⁿ, .25 for three.',
    digits: 3,
  },
  {
    key: 'p_pairs',
    label: 'p (pairs)',
    description: 'The same over seed × context, which takes the contexts of a seed for independent.',
    digits: 3,
  },
  EPOCH,
  METRIC,
];

export const effectsTable: BuildTable = (data, { metric }) => {
  const effects = factorialsOf(measurementsOf(data, metric)).flatMap((factorial) =>
    effectsOf(factorial).map((effect) => ({ factorial, effect })),
  );
  const comparisons = effects.flatMap(({ effect: { contrasts } }) => contrasts.map(cellsOf));
  return {
    name: 'effects',
    title: 'Effects',
    caption: [
      `What each part of the degradation does to top-1 accuracy in percent (${metric}) at the last epoch, paired by seed`,
      'and averaged over the levels of the other parts. Interactions are differences of differences. Each interval is',
      '95 % of itself alone: of twenty rows without an effect, one excludes zero.',
      ...strengthDepartures(comparisons),
    ].join(' '),
    columns: COLUMNS,
    rows: effects.map(({ factorial, effect }) => rowOf(factorial, effect, metric)),
    summary: {},
  };
};

function rowOf({ setting }: Factorial, { kind, factors, levels, contrasts }: Effect, metric: string): Row {
  const effect = factors.join(' × ');
  const level = levels.join(' × ');
  const found = estimate(contrasts);
  const random = (what: string): Random => stream(0, 'report', what, setting, effect, level);
  const bootstrap = bootstrapInterval(found.bySeed, random('bootstrap'));
  const measurements = contrasts.flatMap(cellsOf).flatMap((cell) => cell.measurements);
  return {
    setting,
    kind,
    effect,
    level,
    estimate: found.mean,
    std: found.std,
    ci_low: found.interval?.[0] ?? null,
    ci_high: found.interval?.[1] ?? null,
    n: found.n,
    planned: found.planned,
    contexts: found.contexts,
    contexts_planned: found.contextsPlanned,
    bootstrap_low: bootstrap?.[0] ?? null,
    bootstrap_high: bootstrap?.[1] ?? null,
    p_seeds: signFlipTest(found.bySeed, random('signs of seeds')),
    p_pairs: signFlipTest(found.pairs, random('signs of pairs')),
    epoch: epochsOf({ measurements }),
    metric,
  };
}
