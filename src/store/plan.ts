/** The frozen plan of a results folder. */
import { existsSync } from 'node:fs';
import { UsageError } from '../common/errors.js';
import type { Plan } from '../spec/stages.js';
import { readJson } from './files.js';
import type { SweepPaths } from './layout.js';
import { planSchema } from './records.js';

/** What to do about a damaged plan. */
export const PLAN_REMEDY = 'run the sweep again: it writes the plan anew, and keeps every result that fits it';

/**
 * Reads it.
 *
 * @throws UsageError where the folder holds none, or a damaged one.
 */
export function readPlan({ folder, plan }: SweepPaths): Plan {
  const read = readJson(plan, planSchema, PLAN_REMEDY);
  if (read !== undefined) return read;
  const what = existsSync(folder) ? 'has no plan.json, so it is no results folder' : 'does not exist';
  throw new UsageError(`${folder} ${what}; name a folder that vitmim sweep wrote, such as results/smoke`);
}
