/**
 * `seeds` and `compare` of a sweep: how many seeds a sweep may use, when their results are looked at, and which
 * objectives are compared besides the paper's principles.
 */
import { z } from 'zod';
import { positive } from '../common/values.js';
import type { Finding } from './issues.js';
import { objectiveSchema } from './schema.js';
import type { SeedsRule } from './stages.js';

/** One seed has no spread; more looks or seeds than these are probably a mistake. */
const FEWEST_SEEDS = 2;
const MOST_SEEDS = 100;
const MOST_LOOKS = 20;

const seedCount = z.int().min(FEWEST_SEEDS).max(MOST_SEEDS);

export const seedsSchema = z
  .strictObject({
    min: seedCount.optional().describe('Seeds of the first look (3).'),
    max: seedCount.optional().describe('Most seeds: the last look. Needed if looks is not given.'),
    looks: z
      .array(seedCount)
      .min(1, 'expected at least one number of seeds')
      .max(MOST_LOOKS)
      .optional()
      .describe(
        'Numbers of seeds after which the verdicts are judged; from min to max by default, each 1.6 times the last.',
      ),
    alpha: positive
      .max(0.5)
      .default(0.05)
      .describe('Largest probability that any verdict of the sweep is wrong, over all looks and verdicts.'),
    smallest: positive
      .optional()
      .describe(
        'Smallest difference of interest, in units of the metric: a verdict is also decided if its interval is within ± this.',
      ),
    from: z.int().nonnegative().default(0).describe('The first seed; the others follow it.'),
  })
  .describe('Adds seeds until every verdict is decided; in place of an axis seed.');

export type SeedsFile = z.output<typeof seedsSchema>;

export const compareSchema = z
  .array(z.array(objectiveSchema).length(2))
  .min(1, 'expected at least one pair of objectives')
  .describe(
    'Pairs of objectives to compare besides the principles of the paper: [a, b] asks whether a is better than b.',
  );

/** Each look has this many times the seeds of the one before it. */
const GROWTH = 1.6;

/** A last look this close to the one before it would say the same again. */
const LEAST_GROWTH = 1.25;

const DEFAULT_MIN = 3;

/** 3, 5, 8, 12 from 3 to 12. */
function spread(min: number, max: number): number[] {
  const looks = [];
  for (let look = min; look * LEAST_GROWTH <= max; look = Math.ceil(look * GROWTH)) looks.push(look);
  return [...looks, max];
}

const looksOf = ({ min, max, looks }: SeedsFile): number[] =>
  looks ?? (max === undefined ? [] : spread(Math.min(min ?? DEFAULT_MIN, max), max));

/** Contradictions between the numbers, at paths of the file. */
export function seedsFindings(seeds: SeedsFile): Finding[] {
  const { min, max, looks } = seeds;
  const at = (key: keyof SeedsFile, message: string): Finding => ({ path: ['seeds', key], part: 'value', message });
  if (looks === undefined) {
    if (max === undefined) {
      const message = 'seeds.max is missing (the most seeds); or give looks, as in looks: [3, 5, 8, 12]';
      return [{ path: ['seeds'], part: 'key', message }];
    }
    if (min !== undefined && min > max) return [at('min', `seeds.min (${min}) must not be above seeds.max (${max})`)];
    return [];
  }
  const [first, last] = [looks[0], looks.at(-1)];
  return [
    ...(looks.every((look, i) => i === 0 || look > looks[i - 1]!)
      ? []
      : [at('looks', `seeds.looks must ascend, as in [3, 5, 8, 12]; they are ${looks.join(', ')}`)]),
    ...(min === undefined || min === first
      ? []
      : [at('min', `seeds.min (${min}) must be the first of seeds.looks (${first}); leave one of them out`)]),
    ...(max === undefined || max === last
      ? []
      : [at('max', `seeds.max (${max}) must be the last of seeds.looks (${last}); leave one of them out`)]),
  ];
}

/** The rule in full, of numbers without {@link seedsFindings}. */
export function resolveSeeds(seeds: SeedsFile): SeedsRule {
  const looks = looksOf(seeds);
  const { alpha, smallest = null, from } = seeds;
  return { seeds: Array.from({ length: looks.at(-1)! }, (_, i) => from + i), looks, alpha, smallest };
}
