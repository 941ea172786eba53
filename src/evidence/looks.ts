/**
 * Verdicts of a sweep whose results are looked at several times. Each question has an interval whose error rate is divided
 * over looks (`statistics/repeated.ts`) and questions (Bonferroni). So with probability `1 − alpha` every interval of every
 * look contains the true difference, for any rule of stopping at a look; a verdict follows from its interval.
 */
import type { SeedsRule } from '../spec/stages.js';
import { intervalAround, type Interval } from '../statistics/interval.js';
import { errorRates } from '../statistics/repeated.js';
import { estimate, type Estimate } from './contrasts.js';
import { canBeAsked, type Question } from './questions.js';

/** The verdict of an interval on a difference; `small`: it is below the smallest difference of interest. */
export type Decision = 'positive' | 'negative' | 'small';

export interface Judged {
  question: Question;
  estimate: Estimate;
  /** The repeated confidence interval; null: no estimate has one. */
  interval: Interval | null;
  /** null: not decided. */
  decision: Decision | null;
}

/** The confidence of the intervals at each look, for so many questions. */
export function confidencesOf({ looks, alpha }: Pick<SeedsRule, 'looks' | 'alpha'>, family: number): number[] {
  return errorRates(looks, alpha / family).map((rate) => 1 - rate);
}

/**
 * Judges the questions of the rule's plan at a look.
 *
 * @param questions All of the plan, with the results of the look's seeds only; those without cells have no part in the rate.
 * @param look The number of seeds: one of the looks of the rule.
 */
export function judgeAtLook(questions: readonly Question[], rule: SeedsRule, look: number): Judged[] {
  const family = questions.filter(canBeAsked).length;
  const confidence = family === 0 ? null : confidencesOf(rule, family)[rule.looks.indexOf(look)];
  if (confidence === undefined) throw new Error(`${look} seeds are no look of ${rule.looks.join(', ')}`);
  return questions.map((question) => {
    const found = estimate(question.contrasts);
    const { mean, standardError, degrees, obstacle } = found;
    if (confidence === null || obstacle !== null || mean === null || standardError === null || degrees === null) {
      return { question, estimate: found, interval: null, decision: null };
    }
    const interval = intervalAround(mean, standardError, degrees, confidence);
    return { question, estimate: found, interval, decision: decisionOf(interval, rule.smallest) };
  });
}

function decisionOf([low, high]: Interval, smallest: number | null): Decision | null {
  if (smallest !== null && low > -smallest && high < smallest) return 'small';
  if (low > 0) return 'positive';
  return high < 0 ? 'negative' : null;
}

/** Whether every question that can be answered is. */
export const areDecided = (judged: readonly Judged[]): boolean =>
  judged.every(({ question, decision }) => decision !== null || !canBeAsked(question));
