/** The paper's design principles and the comparisons of the spec, each with the evidence that the results give. */
import { judgeSeeds } from '../decide/seeds.js';
import { cellsOf, estimate, type Estimate, type Obstacle } from '../evidence/contrasts.js';
import { confidencesOf, type Decision } from '../evidence/looks.js';
import { measurementsOf } from '../evidence/measurements.js';
import { canBeAsked, questionsOf, type Question } from '../evidence/questions.js';
import { strengthDepartures } from '../evidence/strengths.js';
import type { NamedMetric } from '../stages/metrics.js';
import { holm } from '../statistics/holm.js';
import type { Interval } from '../statistics/interval.js';
import { describeP } from '../statistics/summary.js';
import type { ReportData } from './collect.js';
import { describeSeedsToDecide, seedsToDecide } from './power/deciding.js';
import { markdownText } from './writers/markdown.js';

/**
 * `not decided`: tested, and the adjusted p value is above .05. `not tested`: there is no p value, since the plan has
 * no cells to compare or too few results are there. `no difference of that size`: the interval is within ± the smallest
 * difference of interest.
 */
export type Outcome = 'holds' | 'reversed' | 'no difference of that size' | 'not decided' | 'not tested';

/** The look at which a verdict was judged, if seeds are added until the verdicts are decided. */
export interface VerdictLook {
  /** Seeds of the look; null: the first look is not complete. */
  seeds: number | null;
  looks: readonly number[];
  alpha: number;
  smallest: number | null;
  /** Why no more seeds run; null: more may. */
  end: 'decided' | 'last look' | null;
  /** Verdicts that the error rate is divided by. */
  family: number;
  /** The repeated confidence interval; null: no estimate has one. */
  interval: Interval | null;
}

export interface Verdict {
  principle: string;
  /** Whether the plan has cells that can test it. */
  asked: boolean;
  /** `key=value`, if a sweep has several settings. Each setting has a verdict of its own. */
  setting: string;
  outcome: Outcome;
  /** What was estimated. */
  quantity: string;
  metric: NamedMetric;
  estimate: Estimate;
  /**
   * Its p value, adjusted by Holm's method for all verdicts of the report that have one; null: not tested, or by looks.
   */
  adjusted: number | null;
  /** How many those are. */
  family: number;
  /** null: the plan has a fixed number of seeds. */
  look: VerdictLook | null;
  /**
   * Not decided: the seeds that would decide an effect of the observed size; null: decided, not tested, or too many.
   */
  seedsToDecide: number | null;
  /** Other differences between the compared cells, in whole sentences. */
  beware: readonly string[];
}

/** The family-wise error rate: at most this share of reports without any effect have a verdict. */
const ERROR_RATE = 0.05;

/** Judges each principle in each setting that was measured, and each comparison that the spec names. */
export function verdictsOf(data: ReportData, metric: NamedMetric): Verdict[] {
  const { seeds, compare } = data;
  if (seeds === undefined) return judge(questionsOf(measurementsOf(data, metric), compare), metric);
  return judgeByLooks({ ...data, seeds }, metric);
}

/** The verdicts of the last look that is complete. */
function judgeByLooks(data: ReportData & Required<Pick<ReportData, 'seeds'>>, metric: NamedMetric): Verdict[] {
  const { rule, look, end } = data.seeds;
  const { looks, alpha, smallest } = rule;
  const judged =
    look === null
      ? questionsOf(measurementsOf(data, metric), data.compare).map((question) => ({
          question,
          estimate: estimate([]),
          interval: null,
          decision: null,
        }))
      : judgeSeeds(data, { rule, compare: data.compare, look, metric });
  const family = judged.filter(({ question }) => canBeAsked(question)).length;
  return judged.map(({ question, estimate: found, interval, decision }): Verdict => ({
    ...partsOf(question),
    outcome: interval === null ? 'not tested' : outcomeOfDecision(decision, signOf(question, metric)),
    metric,
    estimate: found,
    adjusted: null,
    family: 0,
    look: { seeds: look, looks, alpha, smallest, end, family, interval },
    seedsToDecide: null,
  }));
}

function outcomeOfDecision(decision: Decision | null, sign: 1 | -1): Outcome {
  switch (decision) {
    case null:
      return 'not decided';
    case 'small':
      return 'no difference of that size';
    case 'positive':
      return sign === 1 ? 'holds' : 'reversed';
    case 'negative':
      return sign === 1 ? 'reversed' : 'holds';
  }
}

function partsOf(question: Question) {
  const { hypothesis, setting, quantity, contrasts } = question;
  const beware = strengthDepartures(contrasts.map(cellsOf));
  return { principle: hypothesis, asked: canBeAsked(question), setting, quantity, beware };
}

/** The sign of the quantity if the hypothesis is true. */
const signOf = ({ sign }: Question, { metric }: NamedMetric): 1 | -1 =>
  metric.better === 'higher' ? sign : opposite(sign);

/**
 * Judges questions on a fixed number of seeds. All verdicts are one family: a hypothesis holds, or is reversed, if its p
 * value is at most .05 after adjustment by Holm's method over all tested hypotheses.
 */
export function judge(questions: readonly Question[], metric: NamedMetric): Verdict[] {
  const found = questions.map((question) => ({
    ...partsOf(question),
    sign: signOf(question, metric),
    estimate: estimate(question.contrasts),
  }));
  const tested = found.flatMap(({ estimate: { p } }, i) => (p === null ? [] : [{ i, p }]));
  const adjusted = new Map(holm(tested.map(({ p }) => p)).map((p, place) => [tested[place]!.i, p]));
  return found.map(({ sign, ...rest }, i): Verdict => {
    const own = adjusted.get(i) ?? null;
    const outcome = outcomeOf(rest.estimate, own, sign);
    const family = tested.length;
    const needed = outcome === 'not decided' ? seedsToDecide(rest.estimate, ERROR_RATE / family) : null;
    return { ...rest, outcome, metric, adjusted: own, family, look: null, seedsToDecide: needed };
  });
}

function outcomeOf({ mean }: Estimate, adjusted: number | null, sign: 1 | -1): Outcome {
  if (mean === null || adjusted === null) return 'not tested';
  if (adjusted > ERROR_RATE) return 'not decided';
  return Math.sign(mean) === sign ? 'holds' : 'reversed';
}

const opposite = (sign: 1 | -1): 1 | -1 => (sign === 1 ? -1 : 1);

/** A verdict in words: `Misalignment helps: holds (adjusted p = 0.012, Holm over 5). Misaligned minus aligned: …` */
export function describeVerdict(verdict: Verdict): {
  /** The principle, and the setting in which it was tested. */
  hypothesis: string;
  /** The outcome and its adjusted p value. */
  verdict: string;
  numbers: string;
} {
  const { principle, setting, outcome, quantity, estimate: found, adjusted, family, beware } = verdict;
  const scope = setting === '' ? '' : ` (${setting})`;
  if (verdict.look !== null) {
    const numbers = [`${quantity}: ${describeAtLook(verdict, verdict.look)}.`, ...beware].join(' ');
    return { hypothesis: `${principle}${scope}`, verdict: `${outcome}${describeLook(verdict.look)}`, numbers };
  }
  const certainty =
    adjusted === null
      ? ''
      : family === 1
        ? ` (p ${describeP(adjusted)})`
        : ` (adjusted p ${describeP(adjusted)}, Holm over ${family})`;
  return {
    hypothesis: `${principle}${scope}`,
    verdict: `${outcome}${certainty}`,
    numbers: [
      `${quantity}: ${describeEstimate(found, verdict.metric)}.`,
      ...(outcome === 'not decided' ? [describeSeedsToDecide(verdict.seedsToDecide, ERROR_RATE, family)] : []),
      ...beware,
    ].join(' '),
  };
}

const OBSTACLES: Record<Obstacle, (found: Estimate) => string> = {
  'no cells': () => 'the plan has no cells to compare',
  'contexts missing': ({ contexts, contextsPlanned }) =>
    `${share(contexts, contextsPlanned, 'planned context')} ${contexts === 1 ? 'has' : 'have'} a result of every cell, ` +
    'so the planned effect cannot be estimated',
  'too few seeds': ({ n, planned }) => `too few results to test, from ${share(n, planned, 'seed')}`,
  'no spread': ({ n, planned }) => `${share(n, planned, 'seed')} agree to the last digit, so the spread is not known`,
};

function describeEstimate(found: Estimate, { metric }: NamedMetric): string {
  const { digits, unit } = metric;
  const points = (value: number): string => signed(value, digits) + (unit === null ? '' : ` ${unit.difference}`);
  const { mean, interval, p, obstacle } = found;
  if (obstacle !== null) return [mean === null ? [] : points(mean), OBSTACLES[obstacle](found)].flat().join(', ');
  const [low, high] = interval!;
  return [
    points(mean!),
    `unadjusted 95 % interval ${signed(low, digits)} to ${signed(high, digits)}`,
    `p ${describeP(p!)}`,
    ...describeRuns(found),
  ].join(', ');
}

function describeRuns({ n, planned, filled, contexts, contextsPlanned }: Estimate): string[] {
  return [
    `over ${share(n, planned, 'seed')} in ${share(contexts, contextsPlanned, 'context')}`,
    ...(filled === 0 ? [] : [`${filled} missing ${filled === 1 ? 'run' : 'runs'} filled by a fit of cells and seeds`]),
  ];
}

const describeLook = ({ seeds }: VerdictLook): string => (seeds === null ? '' : ` (look at ${seeds} seeds)`);

function describeAtLook({ estimate: found, metric }: Verdict, { seeds, looks, interval }: VerdictLook): string {
  if (seeds === null) return `the first look has ${looks[0]!} seeds, of which results are missing`;
  if (interval === null) return describeEstimate(found, metric);
  const { digits, unit } = metric.metric;
  const [low, high] = interval;
  return [
    signed(found.mean!, digits) + (unit === null ? '' : ` ${unit.difference}`),
    `repeated confidence interval ${signed(low, digits)} to ${signed(high, digits)}`,
    ...describeRuns(found),
  ].join(', ');
}

function share(taken: number, planned: number, what: string): string {
  return `${taken === planned ? '' : `${taken} of `}${planned} ${planned === 1 ? what : `${what}s`}`;
}

const signed = (value: number, digits: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;

/** The hypotheses that the plan cannot test, in one sentence; empty if it can test all. */
export function describeUnasked(verdicts: readonly Verdict[]): string {
  const hypotheses = verdicts.filter(({ asked }) => !asked).map((verdict) => describeVerdict(verdict).hypothesis);
  return hypotheses.length === 0 ? '' : `Not asked, since the plan has no cells to compare: ${hypotheses.join('; ')}.`;
}

/** How the verdicts were found, for beside them; empty if the plan can test none. */
export function verdictRule(verdicts: readonly Verdict[]): string {
  const first = verdicts.find(({ asked }) => asked);
  if (first === undefined) return '';
  if (first.look !== null) return lookRule(first.metric, first.look);
  if (first.family === 0)
    return `By ${first.metric.name} at the last epoch. No principle can be tested on these results.`;
  if (first.family === 1)
    return (
      `By ${first.metric.name} at the last epoch, paired by seed. The hypothesis holds, or is reversed, if its p value is at most ` +
      '.05.'
    );
  return (
    `By ${first.metric.name} at the last epoch, paired by seed. A hypothesis holds, or is reversed, if its p value is at most ` +
    `.05 when adjusted by Holm's method for the ${first.family} tested in this report, so that at most one report in twenty without ` +
    'any effect has such a verdict. The 95 % intervals are for single estimates, not adjusted: an interval may exclude ' +
    'zero although its verdict is not decided.'
  );
}

function lookRule({ name, metric }: NamedMetric, { seeds, looks, alpha, smallest, end, family }: VerdictLook): string {
  const { unit } = metric;
  const percent = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;
  const stop = {
    decided: `They were added until every verdict was decided, at ${seeds} seeds.`,
    'last look': `At the last look, ${seeds} seeds, not every verdict is decided.`,
    none: seeds === null ? 'The first look is not complete.' : `The last complete look is at ${seeds} seeds.`,
  }[end ?? 'none'];
  const confidences =
    seeds === null || family === 0
      ? ''
      : ` Each is an interval of ${percent(confidencesOf({ looks, alpha }, family)[looks.indexOf(seeds)]!)} if only this one is read.`;
  return (
    `By ${name} at the last epoch, paired by seed, at looks of ${looks.join(', ')} seeds. ${stop} ` +
    `The intervals are repeated confidence intervals: with a probability of ${percent(1 - alpha)}, the intervals ` +
    `of all ${family} verdicts at all looks contain the true differences.${confidences} A hypothesis holds, or is reversed, ` +
    'if its interval excludes zero' +
    (smallest === null
      ? '.'
      : `; there is no difference of that size if it is within ±${smallest}${unit === null ? '' : ` ${unit.difference}`}.`)
  );
}

/** A sentence for tables with intervals of their own; null: the number of seeds does not depend on results. */
export const looksCaution = ({ seeds }: Pick<ReportData, 'seeds'>): string | null =>
  seeds === undefined
    ? null
    : 'The number of seeds depends on the results, and the intervals and p values of this table do not account for that; those of the verdicts do.';

/** The section as lines of Markdown; empty if nothing was pre-trained. */
export function verdictSection(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  const paragraphs = [verdictRule(verdicts), describeUnasked(verdicts)].filter((text) => text !== '');
  const asked = verdicts
    .filter((verdict) => verdict.asked)
    .map(describeVerdict)
    .map(
      ({ hypothesis, verdict, numbers }) => `- **${markdownText(hypothesis)}: ${verdict}.** ${markdownText(numbers)}`,
    );
  return [
    '## Verdicts',
    '',
    ...paragraphs.flatMap((text) => [markdownText(text), '']),
    ...asked,
    ...(asked.length === 0 ? [] : ['']),
  ];
}
