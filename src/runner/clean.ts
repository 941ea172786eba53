/**
 * Removes files that a results folder no longer needs. Sweeps may run in the folder at the same time. The order of each
 * removal is safe for them:
 *
 * - Files of a stage are removed under a claim of the stage, so no worker uses them.
 * - The folder of a superseded stage is renamed first, and then the plans are read again. A sweep writes its plan before
 *   it reads stages. So either its plan is found here and the folder gets its name back, or the sweep finds no such stage.
 * - A plan of `--forget` is renamed first, and then the sweeps are read. A sweep writes its file in `sweeps/` before its
 *   plan. So either the sweep is found here and the plan gets its name back, or the sweep writes the plan afterwards.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, UsageError } from '../common/errors.js';
import type { Stage } from '../spec/stages.js';
import { Claimant, claimOwner, isGone, type Claim } from '../store/claims.js';
import { openJson, readJson, writing } from '../store/files.js';
import { STAGE_ID, type StagePaths, type SweepPaths } from '../store/layout.js';
import { isThere, namesIn } from '../store/open.js';
import { findPlan, listPlans, PLAN_REMEDY, planIds, readPlans, type KeptPlan } from '../store/plans.js';
import { partialPlanSchema, stageSchema } from '../store/records.js';
import { workingSweeps } from '../store/sweeps.js';
import { inspectStage } from './inspect.js';

/** Why something is removed. */
export const REASONS = {
  forgotten: { one: 'plan that was to be forgotten', many: 'plans that were to be forgotten' },
  superseded: { one: 'stage that no kept plan contains', many: 'stages that no kept plan contains' },
  previous: { one: 'earlier checkpoint of a finished stage', many: 'earlier checkpoints of finished stages' },
  best: { one: 'best checkpoint of a finished stage', many: 'best checkpoints of finished stages' },
  evaluation: { one: 'checkpoint of a finished evaluation', many: 'checkpoints of finished evaluations' },
  unfinished: { one: 'incomplete file', many: 'incomplete files' },
} as const;
export type Reason = keyof typeof REASONS;

export interface Removal {
  reason: Reason;
  /** From the results folder. */
  path: string;
  bytes: number;
}

export interface Cleaned {
  /** The files that were removed, or would be. */
  removed: Removal[];
  /** The files that were left because a process uses them, relative to the results folder, and the process. */
  inUse: { path: string; by: string }[];
  /** Plans that cannot be read: which stages they contain is not known, so no stage counts as superseded. */
  damagedPlans: string[];
  /** Plans that stay. */
  plans: number;
}

export interface CleanOptions {
  /** Removes nothing. */
  dryRun?: boolean;
  /** Plans to forget: by the beginnings of their identities, or all but the newest. */
  forget?: readonly string[] | 'older';
  /** Also removes the checkpoints of finished evaluations, which no stage starts from. */
  evaluations?: boolean;
  /** Plan files of submissions whose tasks may still run: their stages are kept. */
  submitted?: readonly string[];
}

/**
 * Cleans a results folder.
 *
 * @throws UsageError if it has no plan, if the plan to remove is not in it, or if nothing would be left.
 */
export function clean(
  paths: SweepPaths,
  options: CleanOptions = {},
  claimant: Pick<Claimant, 'claim'> = new Claimant(),
): Cleaned {
  return new Cleaning(paths, options, claimant).run();
}

/** A folder that an earlier cleaning has renamed, and did not remove. */
const REMOVED_STAGE = /^[0-9a-f]{16}\.removed\./;
/** As `writeFileAtomic` names a file before it is whole. */
const UNFINISHED = /\.\d+\.tmp$/;

class Cleaning {
  readonly #paths: SweepPaths;
  readonly #options: CleanOptions;
  readonly #claimant: Pick<Claimant, 'claim'>;
  readonly #cleaned: Cleaned = { removed: [], inUse: [], damagedPlans: [], plans: 0 };
  /** Plans that a dry run counts as forgotten. Otherwise their files are gone; one that appears again is in use. */
  readonly #forgotten = new Set<string>();

  constructor(paths: SweepPaths, options: CleanOptions, claimant: Pick<Claimant, 'claim'>) {
    this.#paths = paths;
    this.#options = options;
    this.#claimant = claimant;
  }

  run(): Cleaned {
    for (const plan of this.#plansToForget()) this.#forget(plan);
    const kept = new KeptStages(this.#paths, this.#options.submitted ?? [], this.#forgotten);
    for (const name of namesIn(this.#paths.stages)) {
      const folder = join(this.#paths.stages, name);
      if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue;
      if (REMOVED_STAGE.test(name)) this.#remove('superseded', folder);
      else if (!STAGE_ID.test(name)) continue;
      else if (kept.has(name)) this.#cleanStage(name, kept);
      else if (kept.damaged.length === 0) this.#removeStage(name, kept);
    }
    return { ...this.#cleaned, damagedPlans: kept.damaged, plans: kept.plans };
  }

  #plansToForget(): readonly KeptPlan[] {
    const { plans } = readPlans(this.#paths);
    const { forget = [] } = this.#options;
    if (forget === 'older') return plans.slice(1);
    const chosen = new Set(forget.map((id) => findPlan(plans, id, this.#paths.folder)));
    if (chosen.size < plans.length) return [...chosen];
    throw new UsageError(
      `${this.#paths.folder} must keep at least one plan; to remove all of its results, delete the folder`,
    );
  }

  #forget({ id, path }: KeptPlan): void {
    const user = this.#userOf(id);
    if (user !== null) {
      this.#leave(path, user);
      return;
    }
    if (this.#options.dryRun) {
      this.#forgotten.add(id);
      this.#note('forgotten', path, path);
      return;
    }
    const removed = `${path}.removed.${randomUUID()}`;
    writing(path, () => {
      renameSync(path, removed);
    });
    const late = this.#userOf(id);
    if (late === null) {
      this.#remove('forgotten', removed, path);
      return;
    }
    renameSync(removed, path); // with the same content as what the sweep may have written
    this.#leave(path, late);
  }

  /** The process that works on a plan; null: none. */
  #userOf(plan: string): string | null {
    const sweep = workingSweeps(this.#paths).find(({ owner }) => owner === null || owner.plan === plan);
    if (sweep === undefined) {
      const { submitted = [] } = this.#options;
      return submitted.some((file) => this.#shares(file, plan)) ? 'Slurm' : null;
    }
    const { owner, path } = sweep;
    const who = owner === null ? 'a sweep' : `the sweep with process ${owner.pid} on ${owner.host}`;
    return `${who}; if it has ended, delete ${path}`;
  }

  #shares(file: string, id: string): boolean {
    const plan = listPlans(this.#paths).plans.find((kept) => kept.id === id)?.plan;
    const own = new Set(plan?.stages.map((stage) => stage.id));
    return stagesOf(file).some((stage) => own.has(stage.id));
  }

  #removeStage(id: string, kept: KeptStages): void {
    const own = this.#paths.stage(id);
    this.#underClaim(own, (claim) => {
      if (claim === null) {
        this.#note('superseded', own.folder, own.folder);
        return;
      }
      const removed = `${own.folder}.removed.${randomUUID()}`;
      renameSync(own.folder, removed);
      kept.look();
      const needed = kept.has(id) || kept.damaged.length > 0;
      if (needed && restored(removed, own.folder)) claim.release();
      else this.#remove('superseded', removed, own.folder);
    });
  }

  /** Removes files of a stage that stays. */
  #cleanStage(id: string, kept: KeptStages): void {
    const own = this.#paths.stage(id);
    if (this.#removable(own, kept).length === 0) return;
    this.#underClaim(own, (claim) => {
      for (const { reason, path } of this.#removable(own, kept)) this.#remove(reason, path);
      claim?.release();
    });
  }

  #removable(own: StagePaths, kept: KeptStages): { reason: Reason; path: string }[] {
    const unfinished = namesIn(own.folder)
      .filter((name) => UNFINISHED.test(name))
      .map((name) => ({ reason: 'unfinished' as const, path: join(own.folder, name) }));
    const stage = readStage(own);
    const done = stage !== undefined && inspectStage(stage, own).kind === 'hit';
    const checkpoints: { reason: Reason; path: string }[] = [
      { reason: 'previous', path: own.previousCheckpoint },
      { reason: 'best', path: own.bestCheckpoint },
      ...(this.#options.evaluations && stage !== undefined && !kept.isStart(stage)
        ? [{ reason: 'evaluation' as const, path: own.checkpoint }]
        : []),
    ];
    return [...unfinished, ...(done ? checkpoints.filter(({ path }) => isThere(path)) : [])];
  }

  /** Does something to a stage that no process works on; in a dry run, without a claim. */
  #underClaim(own: StagePaths, change: (claim: Claim | null) => void): void {
    if (this.#options.dryRun) {
      const owner = claimOwner(own);
      if (owner === null || isGone(owner)) change(null);
      else this.#leave(own.folder, `process ${owner.pid} on ${owner.host}`);
      return;
    }
    writing(own.folder, () => {
      const got = this.#claimant.claim(own);
      if ('claim' in got) change(got.claim);
      else
        this.#leave(own.folder, got.holder === null ? 'a process' : `process ${got.holder.pid} on ${got.holder.host}`);
    });
  }

  #leave(path: string, by: string): void {
    this.#cleaned.inUse.push({ path: this.#relative(path), by });
  }

  #note(reason: Reason, path: string, place: string): void {
    this.#cleaned.removed.push({ reason, path: this.#relative(place), bytes: bytesOf(path) });
  }

  /** @param place Its path before, if it was renamed. */
  #remove(reason: Reason, path: string, place = path): void {
    this.#note(reason, path, place);
    if (this.#options.dryRun) return;
    writing(path, () => {
      rmSync(path, { recursive: true, force: true });
    });
  }

  #relative(path: string): string {
    return path.slice(this.#paths.folder.length).replace(/^[\\/]+/, '');
  }
}

/** The stages of all kept plans, read again when plans are added. */
class KeptStages {
  readonly #paths: SweepPaths;
  readonly #forgotten: ReadonlySet<string>;
  readonly #stages = new Map<string, Stage>();
  readonly #starts = new Set<string>();
  #plans: ReadonlySet<string> = new Set();
  #damaged: string[] = [];

  /** @param forgotten Identities of plans that do not count, though a dry run leaves their files. */
  constructor(paths: SweepPaths, submitted: readonly string[], forgotten: ReadonlySet<string>) {
    this.#paths = paths;
    this.#forgotten = forgotten;
    for (const file of submitted) this.#add(stagesOf(file));
    this.#read();
  }

  get damaged(): string[] {
    return this.#damaged;
  }

  get plans(): number {
    return this.#plans.size;
  }

  has(id: string): boolean {
    return this.#stages.has(id);
  }

  /** Whether another stage starts from this one. */
  isStart({ id, config }: Stage): boolean {
    return config.kind === 'pretrain' || this.#starts.has(id);
  }

  /** Reads the plans again if there is another one than before. The name of a plan's file stands for its content. */
  look(): void {
    if (planIds(this.#paths).some((id) => !this.#plans.has(id) && !this.#forgotten.has(id))) this.#read();
  }

  #read(): void {
    const { plans, damaged } = listPlans(this.#paths);
    this.#damaged = damaged.map(({ path }) => path);
    const kept = plans.filter(({ id }) => !this.#forgotten.has(id));
    for (const { plan } of kept) this.#add(plan.stages);
    this.#plans = new Set(kept.map(({ id }) => id));
  }

  #add(stages: readonly Stage[]): void {
    for (const stage of stages) {
      this.#stages.set(stage.id, stage);
      if (stage.parent !== null) this.#starts.add(stage.parent);
    }
  }
}

/** @throws UsageError if the plan is damaged: its stages may run, and they are not known. */
function stagesOf(file: string): readonly Stage[] {
  return readJson(file, partialPlanSchema, PLAN_REMEDY)?.stages ?? [];
}

function readStage({ stage }: StagePaths): Stage | undefined {
  const stored = openJson(stage, stageSchema);
  return stored.kind === 'present' ? stored.value : undefined;
}

/** Gives a folder its name back, or returns false if a sweep has created the folder again. */
function restored(removed: string, folder: string): boolean {
  try {
    renameSync(removed, folder);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Of a file, or of all files in a folder. Links are counted, and never followed. */
function bytesOf(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  return namesIn(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}
