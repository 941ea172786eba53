/** The paper's design principles, each with what the numbers say of it, and no more than they say. */
import type { Evaluation } from '../spec/schema.js';
import type { ReportData } from './collect.js';
import { measurementsOf } from './comparison.js';
import { cellsOf, difference, estimate, type Contrast, type Estimate } from './contrasts.js';
import { interaction, mainEffect } from './effects.js';
import { factorialsOf, type Factorial } from './factorial.js';
import { strengthDepartures } from './strengths.js';

export interface Verdict {
  principle: string;
  /** `key=value` where a sweep has several settings, each with a verdict of its own. */
  setting: string;
  outcome: 'holds' | 'reversed' | 'not decided';
  /** What was estimated, in points of accuracy. */
  quantity: string;
  metric: Evaluation;
  estimate: Estimate;
  /** What else differs between the cells compared, in whole sentences. */
  beware: readonly string[];
}

interface Principle {
  name: string;
  /** `a less b`, of the quantity. */
  quantity: string;
  /** The sign of the quantity where the principle holds. */
  sign: 1 | -1;
  contrastsOf: (factorial: Factorial) => readonly Contrast[];
}

const PRINCIPLES: readonly Principle[] = [
  {
    name: 'Misalignment helps',
    quantity: 'Misaligned less aligned',
    sign: 1,
    contrastsOf: (factorial) => mainEffect(factorial, 'misalignment').contrasts,
  },
  {
    name: 'Misalignment helps more on top of masking',
    quantity: 'What misalignment adds with a mask less what it adds without',
    sign: 1,
    contrastsOf: (factorial) => interaction(factorial, 'mask', 'misalignment').contrasts,
  },
  {
    name: 'Keep the style',
    quantity: 'Changed style less preserved',
    sign: -1,
    contrastsOf: (factorial) => mainEffect(factorial, 'style').contrasts,
  },
  {
    name: 'Masking helps',
    quantity: 'Masked less unmasked',
    sign: 1,
    contrastsOf: (factorial) => mainEffect(factorial, 'mask').contrasts,
  },
  {
    name: 'Masked and zoomed-in is at least as good as masked',
    quantity: 'masked+zoomed-in less masked',
    sign: 1,
    contrastsOf: integrated,
  },
];

/** At the paper's mask ratio. */
function integrated(factorial: Factorial): Contrast[] {
  const both = factorial.find({ mask: 0.75, misalignment: 'zoomed-in', style: 'preserved' });
  const masked = factorial.find({ mask: 0.75, misalignment: 'none', style: 'preserved' });
  return both === undefined || masked === undefined ? [] : [difference(both, masked)];
}

/**
 * Judges each principle in each setting: it holds, or is reversed, where Student's 95 % interval over the seeds lies on
 * one side of zero, and is not decided otherwise.
 */
export function verdictsOf(data: ReportData, metric: Evaluation): Verdict[] {
  return factorialsOf(measurementsOf(data, metric)).flatMap((factorial) =>
    PRINCIPLES.map(({ name, quantity, sign, contrastsOf }): Verdict => {
      const contrasts = contrastsOf(factorial);
      const found = estimate(contrasts);
      return {
        principle: name,
        setting: factorial.setting,
        outcome: outcomeOf(found, sign),
        quantity,
        metric,
        estimate: found,
        beware: strengthDepartures(contrasts.map(cellsOf)),
      };
    }),
  );
}

function outcomeOf({ interval }: Estimate, sign: 1 | -1): Verdict['outcome'] {
  if (interval === null) return 'not decided';
  const [low, high] = interval;
  if (low <= 0 && high >= 0) return 'not decided';
  return Math.sign(low) === sign ? 'holds' : 'reversed';
}

/** A verdict in words: `Misalignment helps: not decided at n = 3. Misaligned less aligned: …` */
export function describeVerdict({ principle, setting, outcome, quantity, estimate: found, beware }: Verdict): {
  /** The principle and where it was tried. */
  claim: string;
  /** What the data say of it, in a word or two. */
  verdict: string;
  numbers: string;
} {
  const where = setting === '' ? '' : ` (${setting})`;
  const said = outcome === 'not decided' ? `not decided at n = ${found.n}` : outcome;
  return {
    claim: `${principle}${where}`,
    verdict: said,
    numbers: [`${quantity}: ${describeEstimate(found)}.`, ...beware].join(' '),
  };
}

function describeEstimate({ mean, interval, n, planned, contexts, contextsPlanned }: Estimate): string {
  if (contextsPlanned === 0) return 'the plan has no cells to compare';
  if (mean === null) return 'no seed has all the cells to compare';
  const spread =
    interval === null ? 'too little to tell its spread' : `95 % from ${signed(interval[0])} to ${signed(interval[1])}`;
  return `${signed(mean)} points, ${spread}, over ${share(n, planned, 'seed')} in ${share(contexts, contextsPlanned, 'context')}`;
}

function share(taken: number, planned: number, what: string): string {
  return `${taken === planned ? '' : `${taken} of `}${planned} ${planned === 1 ? what : `${what}s`}`;
}

const signed = (points: number): string => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`;

/** The section as lines of Markdown; none where nothing was pre-trained. */
export function verdictSection(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  return [
    '## Verdicts',
    '',
    `By ${verdicts[0]!.metric} at the last epoch, paired by seed. A principle holds, or is reversed, where the 95 % interval`,
    'over the seeds lies on one side of zero; each is judged on its own, on this data and at this size.',
    '',
    ...verdicts.map(describeVerdict).map(({ claim, verdict, numbers }) => `- **${claim}: ${verdict}.** ${numbers}`),
    '',
  ];
}
