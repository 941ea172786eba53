/** The spread of the kept factorial, for plans without results of their own. A test computes it again from the results. */
import type { Spread } from './spread.js';

const RUNS = { cells: 9, runs: 45 } as const;

/** By metric. */
export const KEPT_SPREADS: ReadonlyMap<string, Spread> = new Map<string, Spread>([
  ['finetune', { ...RUNS, seedStd: 1.544623, differenceStd: 2.076475, correlation: 0.096395 }],
  ['linear', { ...RUNS, seedStd: 0.957471, differenceStd: 1.206953, correlation: 0.205489 }],
]);

/** What they are of, in a sentence. */
export const KEPT_RESULTS =
  'the kept results of experiments/ablation.yaml (9 cells × 5 seeds on generated shapes, results/reference/ablation)';
