/**
 * Made-up sweeps that add seeds at looks, judged by the code that the runner and the report use. Beside them the same
 * sweeps with all seeds, judged once by Holm's method, and judged by it at every look without any correction.
 */
import { stream } from '../../src/common/random.js';
import { areDecided, judgeAtLook, type Judged } from '../../src/evidence/looks.js';
import { factorialOfCells, type Factorial } from '../../src/evidence/factorial.js';
import { canBeAsked, principlesIn, type Question } from '../../src/evidence/questions.js';
import { judge } from '../../src/report/verdicts.js';
import type { SeedsRule } from '../../src/spec/stages.js';
import { summaryStatistics } from '../../src/statistics/summary.js';
import { metric } from '../support/entries.js';
import { drawFactorial, truthsOf, type Scenario } from '../report/simulation.js';

export const ruleOf = (looks: readonly number[], smallest: number | null = null): SeedsRule => ({
  seeds: Array.from({ length: looks.at(-1)! }, (_, seed) => seed),
  looks,
  alpha: 0.05,
  smallest,
});

export interface LooksTally {
  sweeps: number;
  /** Sweeps with at least one wrong verdict. */
  wrong: number;
  verdicts: number;
  /** Verdicts that hold or are reversed, and those without a difference of that size. */
  found: number;
  small: number;
  /** Mean seeds when the sweep stopped, and sweeps that stopped before the last look. */
  seeds: number;
  early: number;
  /** Of one look at all seeds, by Holm's method: sweeps with a wrong verdict, and verdicts that hold or are reversed. */
  fixedWrong: number;
  fixedFound: number;
  /** Of Holm's method at every look: sweeps with a wrong verdict at any of them. */
  naiveWrong: number;
}

/** Draws sweeps of several settings and stops each as the runner does. */
export function simulateLooks(
  scenario: Omit<Scenario, 'seeds'>,
  rule: SeedsRule,
  { sweeps, settings = 1, name }: { sweeps: number; settings?: number; name: string },
): LooksTally {
  const truths = truthsOf(scenario.effects);
  const seeds = rule.looks.at(-1)!;
  const tally: LooksTally = {
    ...{ sweeps, wrong: 0, verdicts: 0, found: 0, small: 0, seeds: 0, early: 0 },
    ...{ fixedWrong: 0, fixedFound: 0, naiveWrong: 0 },
  };
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const random = stream(sweep, 'simulated looks', name);
    const factorials = Array.from({ length: settings }, () => drawFactorial({ ...scenario, seeds }, random));
    const atLook = (look: number): Question[] => factorials.flatMap((all) => principlesIn(firstSeeds(all, look)));

    const { look, judged } = stop(rule, atLook);
    tally.seeds += look / sweeps;
    tally.early += Number(look < seeds);
    const asked = judged.filter(({ question }) => canBeAsked(question));
    tally.verdicts += asked.length;
    tally.found += asked.filter(({ decision }) => decision === 'positive' || decision === 'negative').length;
    tally.small += asked.filter(({ decision }) => decision === 'small').length;
    tally.wrong += Number(asked.some((each) => isWrong(each, truths[each.question.claim]!.truth, rule.smallest)));

    const wrongAt = rule.looks.map((each) => fixed(atLook(each), truths));
    tally.naiveWrong += Number(wrongAt.some(({ wrong }) => wrong > 0));
    tally.fixedWrong += Number(wrongAt.at(-1)!.wrong > 0);
    tally.fixedFound += wrongAt.at(-1)!.found;
  }
  return tally;
}

/** The look at which the sweep ends. */
function stop(rule: SeedsRule, atLook: (look: number) => Question[]): { look: number; judged: Judged[] } {
  for (const look of rule.looks) {
    const judged = judgeAtLook(atLook(look), rule, look);
    if (areDecided(judged) || look === rule.looks.at(-1)) return { look, judged };
  }
  throw new Error('the rule has no looks');
}

function isWrong({ decision }: Judged, truth: number, smallest: number | null): boolean {
  switch (decision) {
    case null:
      return false;
    case 'small':
      return Math.abs(truth) >= smallest!;
    case 'positive':
      return truth <= 0;
    case 'negative':
      return truth >= 0;
  }
}

function fixed(questions: readonly Question[], truths: ReturnType<typeof truthsOf>): { wrong: number; found: number } {
  const found = judge(questions, metric('finetune')).filter(
    ({ outcome }) => outcome === 'holds' || outcome === 'reversed',
  );
  const wrong = found.filter(({ principle, outcome }) => {
    const { truth, sign } = truths[principle]!;
    return (outcome === 'holds' ? sign : -sign) !== Math.sign(truth);
  });
  return { wrong: wrong.length, found: found.length };
}

function firstSeeds({ setting, cells }: Factorial, look: number): Factorial {
  return factorialOfCells(
    setting,
    cells.map(({ triple, measurements, accuracies }) => {
      const own = new Map([...accuracies].filter(([seed]) => seed < look));
      return {
        triple,
        measurements: measurements.filter(({ seed }) => seed < look),
        accuracies: own,
        statistics: summaryStatistics([...own.values()]),
      };
    }),
  );
}
