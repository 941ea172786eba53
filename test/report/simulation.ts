/**
 * Made-up sweeps of the kept factorial (2 masks × 4 misalignments × 3 styles, paired by seed) with known effects, missing
 * runs and collapsed runs, judged by the report's own code.
 */
import { stream, type Random } from '../../src/common/random.js';
import { factorialOfCells, type FactorCell, type Factorial } from '../../src/evidence/factorial.js';
import { principlesIn } from '../../src/evidence/questions.js';
import { summaryStatistics } from '../../src/statistics/summary.js';
import { judge } from '../../src/report/verdicts.js';
import type { Misalignment, StyleKind } from '../../src/spec/task.js';
import type { Measurement } from '../../src/evidence/measurements.js';
import { metric } from '../support/entries.js';

const MASKS = [0, 0.75];
const MISALIGNMENTS: readonly Misalignment[] = ['none', 'zoomed-in', 'zoomed-out', 'distorted'];
const STYLES: readonly StyleKind[] = ['preserved', 'blurred', 'decolorized'];

/** In standard deviations of a run. */
export interface Effects {
  mask: number;
  misalignment: number;
  style: number;
  /** How much more misalignment adds with a mask. */
  interaction: number;
}
export const NO_EFFECTS: Effects = { mask: 0, misalignment: 0, style: 0, interaction: 0 };

/** Runs taken away at random: a number of them, or a share. */
export type Missing = { runs: number } | { share: number };

export interface Scenario {
  effects: Effects;
  seeds: number;
  missing: Missing;
  /** Standard deviation over the seeds of each effect, in standard deviations of a run: each seed has effects of its own. */
  slopes: number;
  /** Whether runs collapse and are left out: one in ten of the masked ones, one in a hundred of the others, most at low seeds. */
  collapses: boolean;
}

/** A sweep of the scenario as a factorial. */
export function drawFactorial({ effects, seeds, missing, slopes, collapses }: Scenario, random: Random): Factorial {
  const ofSeed = Array.from({ length: seeds }, () => ({
    level: random.normal(),
    mask: random.normal(0, slopes),
    misalignment: random.normal(0, slopes),
    style: random.normal(0, slopes),
    interaction: random.normal(0, slopes),
  }));
  const triples = MASKS.flatMap((mask) =>
    MISALIGNMENTS.flatMap((misalignment) => STYLES.map((style) => ({ mask, misalignment, style }))),
  );
  const runs = triples.map(({ mask, misalignment, style }) => {
    const [masked, misaligned, restyled] = [mask > 0, misalignment !== 'none', style !== 'preserved'].map(Number);
    return ofSeed.map((own): number | null => {
      const accuracy =
        50 +
        own.level +
        (effects.mask + own.mask) * masked! +
        (effects.misalignment + own.misalignment) * misaligned! +
        (effects.style + own.style) * restyled! +
        (effects.interaction + own.interaction) * masked! * misaligned! +
        random.normal();
      const risk = (masked === 1 ? 0.2 : 0.02) / (1 + Math.exp(2 * own.level));
      return collapses && random.uniform() < risk ? null : accuracy;
    });
  });
  const present = runs.flatMap((row, cell) =>
    row.flatMap((run, seed) => (run === null ? [] : [[cell, seed] as const])),
  );
  const count = 'runs' in missing ? missing.runs : Math.round(missing.share * triples.length * seeds);
  for (let i = 0; i < count; i++) {
    const [[cell, seed]] = present.splice(random.integer(present.length), 1) as [readonly [number, number]];
    runs[cell]![seed] = null;
  }
  return factorialOfCells(
    '',
    triples.map((triple, cell): FactorCell => {
      const values = runs[cell]!;
      const accuracies = new Map(values.flatMap((run, seed) => (run === null ? [] : [[seed, run] as const])));
      const measurements = values.map((accuracy, seed): Measurement => ({ ...MEASUREMENT, seed, accuracy }));
      return { triple, measurements, accuracies, statistics: summaryStatistics([...accuracies.values()]) };
    }),
  );
}

const MEASUREMENT: Omit<Measurement, 'seed' | 'accuracy'> = {
  task: null,
  metric: metric('finetune'),
  configuration: new Map(),
  strengths: new Map(),
  variants: new Map(),
  repeats: [],
  unhealthy: null,
  epochs: null,
  pretrain: null,
  pretrainConfig: null,
};

/** The true quantity of each verdict, worked by hand: three of four misalignments carry what the interaction adds. */
export function truthsOf({
  mask,
  misalignment,
  style,
  interaction,
}: Effects): Record<string, { truth: number; sign: 1 | -1 }> {
  return {
    'Misalignment helps': { truth: misalignment + interaction / 2, sign: 1 },
    'Misalignment helps more on top of masking': { truth: interaction, sign: 1 },
    'Keep the style': { truth: style, sign: -1 },
    'Masking helps': { truth: mask + 0.75 * interaction, sign: 1 },
    'Masked and zoomed-in is at least as good as masked': { truth: misalignment + interaction, sign: 1 },
  };
}

export interface Tally {
  /** Verdicts with an interval, and of them those whose interval holds the truth. */
  intervals: number;
  covered: number;
  /** Verdicts, those that hold or are reversed, and of these those with the wrong sign (any, if the truth is zero). */
  verdicts: number;
  decided: number;
  wrong: number;
  /** Reports, and those with at least one wrong verdict. */
  reports: number;
  wrongReports: number;
}

/**
 * Draws reports and counts. Each has as many settings as asked for, with runs of their own.
 *
 * @param each Called with the principle, and whether its interval holds the truth.
 */
export function simulate(
  scenario: Scenario,
  { reports, settings = 1, name }: { reports: number; settings?: number; name: string },
  each: (principle: string, covered: boolean) => void = () => undefined,
): Tally {
  const expected = truthsOf(scenario.effects);
  const tally: Tally = { intervals: 0, covered: 0, verdicts: 0, decided: 0, wrong: 0, reports, wrongReports: 0 };
  for (let report = 0; report < reports; report++) {
    const random = stream(report, 'simulated reports', name);
    const factorials = Array.from({ length: settings }, () => drawFactorial(scenario, random));
    let wrong = 0;
    for (const { principle, outcome, estimate } of judge(factorials.flatMap(principlesIn), metric('finetune'))) {
      const { truth, sign } = expected[principle]!;
      tally.verdicts += 1;
      if (estimate.interval !== null) {
        const [low, high] = estimate.interval;
        const covered = low <= truth && truth <= high;
        tally.intervals += 1;
        tally.covered += Number(covered);
        each(principle, covered);
      }
      if (outcome !== 'holds' && outcome !== 'reversed') continue;
      tally.decided += 1;
      wrong += Number((outcome === 'holds' ? sign : -sign) !== Math.sign(truth));
    }
    tally.wrong += wrong;
    tally.wrongReports += Number(wrong > 0);
  }
  return tally;
}

export type ScenarioName = 'independent runs' | 'effects differ by seed' | 'collapsed runs' | 'both';
export const SCENARIOS: Record<ScenarioName, Pick<Scenario, 'slopes' | 'collapses'>> = {
  'independent runs': { slopes: 0, collapses: false },
  'effects differ by seed': { slopes: 0.5, collapses: false },
  'collapsed runs': { slopes: 0, collapses: true },
  both: { slopes: 0.5, collapses: true },
};
export const MISSING: Record<string, Missing> = {
  '0 runs': { runs: 0 },
  '1 run': { runs: 1 },
  '5 %': { share: 0.05 },
  '10 %': { share: 0.1 },
};
/** Planted, in standard deviations of a run (1.5 points in results/reference/ablation; its effects are 1 to 5 points). */
export const EFFECTS: Effects = { mask: 1, misalignment: 0.8, style: -1, interaction: 1 };
