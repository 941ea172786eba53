/**
 * The rounds of a plan: the first seed of every cell, then the second, and so on. A sweep that runs its stages round by
 * round can be compared when it is interrupted: all cells have the same number of seeds.
 */
import { canonicalJson } from '../common/canonical.js';
import { groupBy } from '../common/group-by.js';
import { stageIds, type Job, type Plan } from './stages.js';

/**
 * The round of each stage, from 0: the place of its job among those that differ from it only in the seed, in the order
 * of the plan. A stage of several jobs belongs to the earliest round of them. A parent is never in a later round than
 * its child.
 */
export function roundsOf({ jobs }: Pick<Plan, 'jobs'>): ReadonlyMap<string, number> {
  const rounds = new Map<string, number>();
  for (const own of groupBy(jobs, withoutSeed).values()) {
    for (const [round, job] of own.entries()) {
      for (const id of stageIds(job)) rounds.set(id, Math.min(round, rounds.get(id) ?? round));
    }
  }
  return rounds;
}

/**
 * A key that is the same for all jobs of a cell. The trials of a candidate and its runs count their seeds separately.
 */
function withoutSeed({ cells, candidate }: Job): string {
  return canonicalJson({ cell: { ...cells[0], seed: null }, candidate: candidate ?? null });
}
