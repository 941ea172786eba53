/** Which stages of a plan a run is about, by their earlier outcomes. */
import { unreachable } from '../common/errors.js';
import { ALL_WANTED, type Needs } from '../decide/rules.js';
import type { Plan } from '../spec/stages.js';
import type { SweepPaths } from '../store/layout.js';
import { isThere } from '../store/open.js';
import { readState } from '../store/state.js';
import { inspectPlan } from './inspect.js';

/** All missing stages; those that failed, with the stages that depend on them; or all except those. */
export const RETRIES = ['all', 'failed', 'none'] as const;
export type Retry = (typeof RETRIES)[number];

/** @returns Identities of the stages. The parent of each that has no result is among them. */
export function chooseStages(plan: Plan, paths: SweepPaths, retry: Retry): ReadonlySet<string> {
  const ids = new Set(plan.stages.map(({ id }) => id));
  if (retry === 'all') return ids;
  const failed = new Set<string>();
  for (const { id, parent } of plan.stages) {
    if ((parent !== null && failed.has(parent)) || hasFailed(paths, id)) failed.add(id);
  }
  switch (retry) {
    case 'failed':
      return failed;
    case 'none':
      return new Set([...ids].filter((id) => !failed.has(id)));
    default:
      return unreachable(retry);
  }
}

function hasFailed(paths: SweepPaths, id: string): boolean {
  const own = paths.stage(id);
  if (!isThere(own.state)) return false;
  const state = readState(own);
  return state === null || state.status === 'failed'; // a state.json that cannot be read is no success
}

/** How many stages of a plan have no result although they are wanted, and are not among those of a run. */
export function stagesLeft(
  plan: Plan,
  paths: SweepPaths,
  chosen: ReadonlySet<string>,
  needs: Needs = ALL_WANTED,
): number {
  const inspections = inspectPlan(plan, paths, new Map(), needs);
  return plan.stages.filter(({ id }) => !chosen.has(id) && inspections.get(id)!.kind === 'run').length;
}
