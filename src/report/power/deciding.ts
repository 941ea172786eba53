/** How many seeds would decide an effect of the size that was observed. */
import type { Estimate } from '../../evidence/contrasts.js';
import { MOST_SEEDS, seedsNeeded } from '../../statistics/power.js';

/** The probability with which so many seeds decide an effect of this size. */
const POWER = 0.8;

/**
 * The seeds with which Student's test at the level `alpha` finds an effect of the estimated size and spread with a
 * probability of 80 %; null: more than {@link MOST_SEEDS}.
 *
 * @param estimate One with a p value.
 */
export function seedsToDecide({ mean, std }: Pick<Estimate, 'mean' | 'std'>, alpha: number): number | null {
  if (mean === null || std === null) return null;
  return seedsNeeded({ pairing: 'paired', std }, { difference: mean, alpha, power: POWER });
}

/**
 * In a sentence.
 *
 * @param level The error rate of all verdicts, which Holm's method divides by their number for the smallest p value.
 */
export function describeSeedsToDecide(seeds: number | null, level: number, family: number): string {
  const count = seeds === null ? `more than ${MOST_SEEDS.toLocaleString('en')}` : `about ${seeds}`;
  const divided = family === 1 ? `${level}` : `${level} / ${family}`;
  return `An effect of this size would need ${count} seeds to be decided (with a probability of ${100 * POWER} %, at the level ${divided}).`;
}
