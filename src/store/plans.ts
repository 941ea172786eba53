/**
 * The plans of a results folder. A folder belongs to the name of a sweep, and keeps every plan that ran in it: two
 * sweeps of one name with other seeds, at once or one after the other, do not hide each other. A plan's file is named
 * by its content, so the same plan is kept once and never replaced by another one.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, sha256 } from '../common/canonical.js';
import { UsageError } from '../common/errors.js';
import { stageIds, type Plan } from '../spec/stages.js';
import { unitePlans } from '../spec/unite.js';
import { openJson, writeJson } from './files.js';
import type { SweepPaths } from './layout.js';
import { DamagedFileError, isThere, namesIn, type Stored } from './open.js';
import { keptPlanSchema, planSchema } from './records.js';

/** A plan that a results folder keeps. */
export interface KeptPlan {
  /** See {@link planId}. */
  readonly id: string;
  /** When a sweep last started with it, ISO 8601; null: not recorded, in a folder of an earlier version. */
  readonly startedAt: string | null;
  readonly path: string;
  readonly plan: Plan;
}

/** A file that should hold a plan and does not. */
export interface DamagedPlan {
  /** Of the plan, by the name of its file; null: `plan.json` of an earlier version. */
  readonly id: string | null;
  readonly path: string;
  /** A clause about the file. */
  readonly problem: string;
}

/** The remedy for a damaged plan. */
export const PLAN_REMEDY = 'run the sweep again: it writes the plan anew, and keeps every result that fits it';

export interface FolderPlans {
  /** The newest first. */
  readonly plans: readonly KeptPlan[];
  readonly damaged: readonly DamagedPlan[];
}

const ID_LENGTH = 16;
const FILE_NAME = /^([0-9a-f]{16})\.json$/;

/**
 * The identity of a plan: the first 16 hexadecimal digits of the SHA-256 of its name, its jobs, the identities of its
 * stages, its rules, and the cells that were left out. The description and the place of the data do not enter it.
 */
export function planId({ name, jobs, stages, seeds, compare, metrics, leftOut, selections }: Plan): string {
  const rules = {
    ...(seeds === undefined ? {} : { seeds }),
    ...(compare === undefined ? {} : { compare }),
    ...(metrics === undefined ? {} : { metrics }),
  };
  const content = { name, jobs, stages: stages.map(({ id }) => id), ...rules, leftOut, selections };
  return sha256(canonicalJson(content)).slice(0, ID_LENGTH);
}

/** The path of the plan with this identity. */
export const planPath = ({ plans }: Pick<SweepPaths, 'plans'>, id: string): string => join(plans, `${id}.json`);

/**
 * Keeps a plan, as the newest of its folder.
 *
 * @returns its identity.
 */
export function keepPlan(paths: SweepPaths, plan: Plan, now: Date): string {
  const id = planId(plan);
  writeJson(planPath(paths, id), { startedAt: now.toISOString(), plan });
  if (isEarlierPlan(paths, id)) rmSync(paths.plan, { force: true }); // a plan is kept once
  return id;
}

/** Whether the `plan.json` of an earlier version is this plan. */
function isEarlierPlan(paths: SweepPaths, id: string): boolean {
  const stored = openJson(paths.plan, planSchema);
  return stored.kind === 'present' && planId(stored.value) === id;
}

/** Every plan of a folder; none if there is no folder. Damaged files are named apart. */
export function listPlans(paths: SweepPaths): FolderPlans {
  const plans = new Map<string, KeptPlan>();
  const damaged: DamagedPlan[] = [];
  const add = (id: string | null, path: string, stored: Stored<Omit<KeptPlan, 'id' | 'path'>>): void => {
    if (stored.kind === 'missing') return;
    if (stored.kind === 'damaged') {
      damaged.push({ id, path, problem: stored.problem });
      return;
    }
    const own = planId(stored.value.plan);
    if (id !== null && own !== id)
      damaged.push({ id, path, problem: 'is damaged: its plan is not the one of its name' });
    else if (!plans.has(own)) plans.set(own, { id: own, path, ...stored.value });
  };
  for (const id of planIds(paths)) {
    const path = planPath(paths, id);
    add(id, path, openJson(path, keptPlanSchema));
  }
  const earlier = openJson(paths.plan, planSchema);
  add(
    null,
    paths.plan,
    earlier.kind === 'present' ? { ...earlier, value: { startedAt: null, plan: earlier.value } } : earlier,
  );
  return { plans: [...plans.values()].sort(byAge), damaged };
}

/** The identities of the plans in `plans/`, by the names of their files. */
export function planIds({ plans }: Pick<SweepPaths, 'plans'>): string[] {
  return namesIn(plans).flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []);
}

/** The newest first; those without a time last. Identities decide between equal times. */
function byAge(a: KeptPlan, b: KeptPlan): number {
  const [first, second] = [a, b].map(({ startedAt, id }) => `${startedAt ?? ''} ${id}`);
  return first! < second! ? 1 : -1;
}

/**
 * {@link listPlans} of a folder that must have a plan.
 *
 * @throws UsageError if the folder has no plan that can be read.
 */
export function readPlans(paths: SweepPaths): FolderPlans {
  const found = listPlans(paths);
  if (found.plans.length > 0) return found;
  const [damaged] = found.damaged;
  if (damaged !== undefined) throw new DamagedFileError(damaged.path, damaged.problem, PLAN_REMEDY);
  const { folder } = paths;
  const what = isThere(folder) ? 'has no plan, so it is no results folder' : 'does not exist';
  throw new UsageError(`${folder} ${what}; name a folder that vitmim sweep wrote, such as results/smoke`);
}

/** Which plans of a folder a command is about: its newest, all of them, or the one whose identity begins so. */
export type PlanChoice = 'newest' | 'all' | { readonly id: string };

/** The plans that a command reads of a folder. */
export interface ChosenPlans extends FolderPlans {
  /** Of the plans, in their order; at least one. */
  readonly chosen: readonly KeptPlan[];
  /** The union of the chosen ones, the oldest first. */
  readonly plan: Plan;
  readonly rest: OtherPlans;
}

/** The stages that only the other plans of a folder contain. */
export interface OtherPlans {
  /** Plans that contain something beyond. */
  readonly plans: number;
  readonly stages: number;
  /** Cells of jobs with such a stage. */
  readonly cells: number;
}

/**
 * The plans of a folder that a command is about.
 *
 * @throws UsageError if the folder has no such plan, or none at all.
 */
export function choosePlans(paths: SweepPaths, choice: PlanChoice): ChosenPlans {
  const found = readPlans(paths);
  const chosen = chosenOf(found.plans, choice, paths.folder);
  const plan = unitePlans(chosen.map((kept) => kept.plan).toReversed());
  return { ...found, chosen, plan, rest: restOf(plan, found.plans) };
}

function chosenOf(plans: readonly KeptPlan[], choice: PlanChoice, folder: string): readonly KeptPlan[] {
  if (choice === 'all') return plans;
  return [choice === 'newest' ? plans[0]! : findPlan(plans, choice.id, folder)];
}

/**
 * The plan whose identity begins so.
 *
 * @throws UsageError if there is none, or more than one.
 */
export function findPlan(plans: readonly KeptPlan[], id: string, folder: string): KeptPlan {
  const matching = id === '' ? [] : plans.filter((plan) => plan.id.startsWith(id));
  if (matching.length === 1) return matching[0]!;
  const what = matching.length === 0 ? `no plan ${id}` : `${matching.length} plans whose identities begin with ${id}`;
  throw new UsageError(`${folder} has ${what}; its plans are ${plans.map((plan) => plan.id).join(', ')}`);
}

function restOf(plan: Plan, plans: readonly KeptPlan[]): OtherPlans {
  const known = new Set(plan.stages.map(({ id }) => id));
  const others = plans.filter((kept) => kept.plan.stages.some(({ id }) => !known.has(id)));
  if (others.length === 0) return { plans: 0, stages: 0, cells: 0 };
  const union = unitePlans(others.map((kept) => kept.plan));
  const jobs = union.jobs.filter((job) => stageIds(job).some((id) => !known.has(id)));
  return {
    plans: others.length,
    stages: union.stages.filter(({ id }) => !known.has(id)).length,
    cells: jobs.reduce((sum, { cells }) => sum + cells.length, 0),
  };
}

/** The stages that are left out, and how to include them; null: none are. */
export function describeRest(
  { plans, stages, cells }: OtherPlans,
  folder: string,
  toInclude = 'Include them with --all, or choose a plan with --plan; vitmim status lists the plans',
): string | null {
  if (stages === 0) return null;
  const what = `${count(stages, 'stage')} (${count(cells, 'cell')}) of ${count(plans, 'other plan')} in ${folder}`;
  return `Not included: ${what}. ${toInclude}`;
}

const count = (number: number, what: string): string => `${number} ${number === 1 ? what : `${what}s`}`;
