/**
 * Made-up sweeps that add seeds at looks, judged by the code that the runner and the report use. Beside them the same
 * sweeps with all seeds, judged once by Holm's method, and judged by it at every look without any correction.
 */
import { stream } from '../../src/common/random.js';
import { areDecided, judgeAtLook, type Judged } from '../../src/evidence/looks.js';
import { factorialOfCells, type Factorial } from '../../src/evidence/factorial.js';
import { canBeAsked, principlesIn } from '../../src/evidence/questions.js';
import type { SeedsRule } from '../../src/spec/stages.js';
import { holm } from '../../src/statistics/holm.js';
import { summaryStatistics } from '../../src/statistics/summary.js';
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
    const looks = rule.looks.map((look) => {
      const questions = factorials.flatMap((all) => principlesIn(firstSeeds(all, look)));
      return { look, judged: judgeAtLook(questions, rule, look) };
    });
    const last = looks.at(-1)!;
    const { look, judged } = looks.find((each) => areDecided(each.judged)) ?? last;
    tally.seeds += look / sweeps;
    tally.early += Number(look < seeds);
    const asked = judged.filter(({ question }) => canBeAsked(question));
    tally.verdicts += asked.length;
    tally.found += asked.filter(({ decision }) => decision === 'positive' || decision === 'negative').length;
    tally.small += asked.filter(({ decision }) => decision === 'small').length;
    tally.wrong += Number(asked.some((each) => isWrong(each, truths[each.question.hypothesis]!.truth, rule.smallest)));

    const wrongAt = looks.map((each) => fixed(each.judged, truths));
    tally.naiveWrong += Number(wrongAt.some(({ wrong }) => wrong > 0));
    tally.fixedWrong += Number(wrongAt.at(-1)!.wrong > 0);
    tally.fixedFound += wrongAt.at(-1)!.found;
  }
  return tally;
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

/** Of one look, judged by Holm's method as if it were the only one. */
function fixed(judged: readonly Judged[], truths: ReturnType<typeof truthsOf>): { wrong: number; found: number } {
  const tested = judged.flatMap(({ question, estimate: { mean, p } }) =>
    p === null ? [] : [{ question, mean: mean!, p }],
  );
  const adjusted = holm(tested.map(({ p }) => p));
  const found = tested.filter((_, i) => adjusted[i]! <= 0.05);
  const wrong = found.filter(({ question, mean }) => Math.sign(mean) !== Math.sign(truths[question.hypothesis]!.truth));
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
