/** The spread of the kept factorial, for plans without results of their own. A test computes it again from the results. */
import type { Spread } from './spread.js';

const RUNS = { cells: 25, runs: 75 } as const;

/** By metric. */
export const KEPT_SPREADS: ReadonlyMap<string, Spread> = new Map<string, Spread>([
  ['finetune', { ...RUNS, seedStd: 1.479595, differenceStd: 2.109935, correlation: -0.01677 }],
  ['linear', { ...RUNS, seedStd: 0.871722, differenceStd: 1.24182, correlation: -0.014684 }],
  ['knn', { ...RUNS, seedStd: 0.713442, differenceStd: 1.019284, correlation: -0.020569 }],
]);

/** What they are of, in a sentence. */
export const KEPT_RESULTS =
  'the kept results of experiments/ablation.yaml (25 cells × 3 seeds on generated shapes, results/reference/ablation)';
