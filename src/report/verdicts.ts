/** The paper's design principles, each with the evidence that the results give for or against it. */
import type { NamedMetric } from '../stages/metrics.js';
import type { ReportData } from './collect.js';
import { measurementsOf } from '../evidence/measurements.js';
import { cellsOf, estimate, type Estimate, type Obstacle } from '../evidence/contrasts.js';
import { PRINCIPLES } from '../evidence/principles.js';
import { factorialsOf, type Factorial } from '../evidence/factorial.js';
import { holm } from '../statistics/holm.js';
import { describeSeedsToDecide, seedsToDecide } from './power/deciding.js';
import { describeP } from '../statistics/summary.js';
import { strengthDepartures } from '../evidence/strengths.js';
import { markdownText } from './writers/markdown.js';

/**
 * `not decided`: tested, and the adjusted p value is above .05. `not tested`: there is no p value, since the plan has no
 * cells to compare or too few results are there.
 */
export type Outcome = 'holds' | 'reversed' | 'not decided' | 'not tested';

export interface Verdict {
  principle: string;
  /** `key=value` where a sweep has several settings, each with a verdict of its own. */
  setting: string;
  outcome: Outcome;
  /** What was estimated. */
  quantity: string;
  metric: NamedMetric;
  estimate: Estimate;
  /** Its p value, adjusted by Holm's method for all verdicts of the report that have one; null: not tested. */
  adjusted: number | null;
  /** How many those are. */
  family: number;
  /** Not decided: the seeds that would decide an effect of the observed size; null: decided, not tested, or too many. */
  seedsToDecide: number | null;
  /** Other differences between the compared cells, in whole sentences. */
  beware: readonly string[];
}

/** The family-wise error rate: at most this share of reports without any effect have a verdict. */
const ERROR_RATE = 0.05;

/** Judges each principle in each setting that was measured. */
export function verdictsOf(data: ReportData, metric: NamedMetric): Verdict[] {
  return judge(factorialsOf(measurementsOf(data, metric)), metric);
}

/**
 * Judges each principle in each factorial. All verdicts are one family: a principle holds, or is reversed, where its
 * p value, adjusted by Holm's method over all that were tested, is at most .05.
 */
export function judge(factorials: readonly Factorial[], metric: NamedMetric): Verdict[] {
  const { better } = metric.metric;
  const found = factorials.flatMap((factorial) =>
    PRINCIPLES.map(({ name, quantity, sign, contrastsOf }) => {
      const contrasts = contrastsOf(factorial);
      const beware = strengthDepartures(contrasts.map(cellsOf));
      return { principle: name, setting: factorial.setting, quantity, sign, beware, estimate: estimate(contrasts) };
    }),
  );
  const tested = found.flatMap(({ estimate: { p } }, i) => (p === null ? [] : [{ i, p }]));
  const adjusted = new Map(holm(tested.map(({ p }) => p)).map((p, place) => [tested[place]!.i, p]));
  return found.map(({ sign, ...rest }, i): Verdict => {
    const own = adjusted.get(i) ?? null;
    const outcome = outcomeOf(rest.estimate, own, better === 'higher' ? sign : opposite(sign));
    const family = tested.length;
    const needed = outcome === 'not decided' ? seedsToDecide(rest.estimate, ERROR_RATE / family) : null;
    return { ...rest, outcome, metric, adjusted: own, family, seedsToDecide: needed };
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
  /** The principle and where it was tried. */
  claim: string;
  /** The outcome and its adjusted p value. */
  verdict: string;
  numbers: string;
} {
  const { principle, setting, outcome, quantity, estimate: found, adjusted, family, beware } = verdict;
  const where = setting === '' ? '' : ` (${setting})`;
  const certainty = adjusted === null ? '' : ` (adjusted p ${describeP(adjusted)}, Holm over ${family})`;
  return {
    claim: `${principle}${where}`,
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
  const { mean, interval, p, obstacle, n, planned, filled, contexts, contextsPlanned } = found;
  if (obstacle !== null) return [mean === null ? [] : points(mean), OBSTACLES[obstacle](found)].flat().join(', ');
  const [low, high] = interval!;
  return [
    points(mean!),
    `95 % interval of this estimate alone ${signed(low, digits)} to ${signed(high, digits)}`,
    `p ${describeP(p!)}`,
    `over ${share(n, planned, 'seed')} in ${share(contexts, contextsPlanned, 'context')}`,
    ...(filled === 0 ? [] : [`${filled} missing ${filled === 1 ? 'run' : 'runs'} filled by a fit of cells and seeds`]),
  ].join(', ');
}

function share(taken: number, planned: number, what: string): string {
  return `${taken === planned ? '' : `${taken} of `}${planned} ${planned === 1 ? what : `${what}s`}`;
}

const signed = (value: number, digits: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;

/** How the verdicts were found, for beside them. */
export function verdictRule([first]: readonly Verdict[]): string {
  if (first === undefined) return '';
  if (first.family === 0)
    return `By ${first.metric.name} at the last epoch. No principle can be tested on these results.`;
  return (
    `By ${first.metric.name} at the last epoch, paired by seed. A principle holds, or is reversed, where its p value is at most ` +
    `.05 when adjusted by Holm's method for the ${first.family} tested in this report, so that at most one report in twenty without ` +
    'any effect has such a verdict. The 95 % intervals are those of single estimates, not adjusted: one may exclude zero ' +
    'where the verdict is not decided.'
  );
}

/** The section as lines of Markdown; empty if nothing was pre-trained. */
export function verdictSection(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  return [
    '## Verdicts',
    '',
    markdownText(verdictRule(verdicts)),
    '',
    ...verdicts
      .map(describeVerdict)
      .map(({ claim, verdict, numbers }) => `- **${markdownText(claim)}: ${verdict}.** ${markdownText(numbers)}`),
    '',
  ];
}
