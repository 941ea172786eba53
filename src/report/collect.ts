/**
 * Results folders → one set of jobs with their results. Reads plans and the result.json, state.json and provenance.json
 * of stages; writes nothing. Several plans and several folders of one sweep are merged: the parts that several machines
 * ran, or a grid that was extended. Runs with different settings stay apart: their configurations, which tables group
 * by, are read from their stages.
 */
import { canonicalJson } from '../common/canonical.js';
import { UsageError } from '../common/errors.js';
import type { StageOutcome } from '../evidence/measurements.js';
import { entryNames, type Job, type Plan, type Stage } from '../spec/stages.js';
import { unitePlans } from '../spec/unite.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import { readResult } from '../store/chain.js';
import { openJson } from '../store/files.js';
import { sweepPaths, type StagePaths, type SweepPaths } from '../store/layout.js';
import { isThere, type Stored } from '../store/open.js';
import { readProvenance, type StageProvenance } from '../store/provenance.js';
import { choosePlans, type KeptPlan, type PlanChoice, type Rest } from '../store/plans.js';
import { stateSchema, type StageResult, type StageState } from '../store/records.js';
import { differingKeys, isSetting, valuesOf } from './plan-values.js';

export interface ReportData {
  sweeps: SweepInfo[];
  /** In the order of the plans; jobs that several folders have are one, with the cells of all. */
  jobs: ReportJob[];
  /** Every stage of the jobs, by identity. */
  stages: ReadonlyMap<string, StageRecord>;
  /** Stages without a result. */
  missing: MissingResult[];
}

export interface SweepInfo {
  name: string;
  folder: string;
  description: string | null;
  /** Cells that contradict themselves and were not run. */
  leftOut: number;
  /** The identities of the plans that are reported, the newest first. */
  plans: readonly string[];
  /** Keys of configurations whose values are not the same in all of these plans. */
  settings: readonly string[];
  /** What other plans of the folder contain beyond them. */
  rest: Rest;
}

/** A job and the name of its sweep. */
export interface ReportJob extends Job {
  sweep: string;
}

export interface StageRecord extends StageOutcome {
  /** `pretrain`, or the name of the evaluation in `evaluate`. */
  entry: string;
  /** Of the result that was taken; null: not recorded. */
  provenance: StageProvenance | null;
}

export interface MissingResult {
  stage: Stage;
  /** As in {@link StageRecord}. */
  entry: string;
  /** The folder of the stage. */
  folder: string;
  /** `failed: …`, `interrupted`, `running`, `not run`, that a result was there once, or that it is damaged. */
  why: string;
}

/**
 * Reads results folders.
 *
 * @param choice The plans of each folder.
 * @throws UsageError where a folder has no such plan, the folders belong to sweeps of different names, or two folders
 *   disagree on a stage's result. Damaged files are treated like missing ones.
 */
export function collect(folders: readonly string[], choice: PlanChoice = 'newest'): ReportData {
  if (folders.length === 0) throw new UsageError('name at least one results folder, such as results/smoke');
  const sweeps: SweepInfo[] = [];
  const plans: Plan[] = [];
  const found = new Map<string, FoundStage>();

  for (const folder of folders) {
    const paths = sweepPaths(folder);
    const { plan, chosen, rest } = choosePlans(paths, choice);
    const { name, description = null, leftOut } = plan;
    mustBeOneSweep(sweeps[0], { name, folder });
    sweeps.push({
      name,
      folder,
      description,
      leftOut: leftOut.length,
      plans: chosen.map(({ id }) => id),
      settings: settingsThatDiffer(chosen),
      rest,
    });
    plans.push(plan);
    for (const stage of plan.stages) found.set(stage.id, agreed(found.get(stage.id), readStage(stage, paths)));
  }
  const { name, jobs, stages } = unitePlans(plans);
  const names = entryNames({ jobs, stages });
  return {
    sweeps,
    jobs: jobs.map((job) => ({ ...job, sweep: name })),
    stages: new Map(
      [...found.values()].map(({ stage, result, provenance }) => {
        return [stage.id, { stage, entry: names.get(stage.id)!, result, provenance }];
      }),
    ),
    missing: [...found.values()]
      .filter(({ result }) => result === null)
      .map((stage) => missingOf(stage, names.get(stage.stage.id)!)),
  };
}

function settingsThatDiffer(plans: readonly KeptPlan[]): string[] {
  if (plans.length < 2) return [];
  return differingKeys(plans.map(({ plan }) => valuesOf(plan)))
    .filter(isSetting)
    .map(({ key }) => key);
}

function mustBeOneSweep(first: SweepInfo | undefined, other: Pick<SweepInfo, 'name' | 'folder'>): void {
  if (first === undefined || first.name === other.name) return;
  throw new UsageError(
    `${first.folder} holds the sweep "${first.name}" and ${other.folder} the sweep "${other.name}"; ` +
      'only folders of one sweep are merged, so report them apart, or give both specs one name',
  );
}

interface FoundStage extends Omit<StageRecord, 'entry'> {
  paths: StagePaths;
  /** Why its result does not count; null: there is none, or it counts. */
  damage: string | null;
}

function readStage(stage: Stage, sweep: SweepPaths): FoundStage {
  const paths = sweep.stage(stage.id);
  const result = readResult(stage, paths);
  const damage = result.kind === 'damaged' ? result.problem : null;
  if (result.kind !== 'present') return { stage, result: null, provenance: null, paths, damage };
  return { stage, result: result.value, provenance: readProvenance(paths), paths, damage };
}

/** The first record with a result, else the first that was tried; two results of a stage must have the same numbers. */
function agreed(first: FoundStage | undefined, second: FoundStage): FoundStage {
  if (first === undefined) return second;
  if (first.result === null) return second.result !== null || !isThere(first.paths.state) ? second : first;
  if (second.result !== null && !agree(first.result, second.result)) {
    throw new UsageError(
      `${first.paths.result} and ${second.paths.result} are results of one stage and differ; ` +
        'report their folders apart, or delete the one you do not trust',
    );
  }
  return first;
}

/**
 * Whether two runs of one stage agree on everything but how long they took, and where each had its images. Metrics that
 * only one of them has are of a later version, and do not count.
 */
function agree(first: StageResult, second: StageResult): boolean {
  const [a, b] = [first, second].map((result): Record<string, unknown> => {
    const { corruptImages, damagedImages, seconds, imagesPerSecond, ...numbers } = result;
    return { ...numbers, corruptImages: corruptImages.length };
  });
  const metrics = STAGE_ENTRIES[first.kind].metrics;
  const measured = (key: string): boolean => !(key in metrics) || (a![key] != null && b![key] != null);
  const compared = [...new Set([...Object.keys(a!), ...Object.keys(b!)])].filter(measured);
  return (
    canonicalJson(compared.map((key) => a![key] ?? null)) === canonicalJson(compared.map((key) => b![key] ?? null))
  );
}

function missingOf({ stage, paths, damage }: FoundStage, entry: string): MissingResult {
  const why = damage === null ? whyMissing(openJson(paths.state, stateSchema)) : `${damage}; ${REPEAT}`;
  return { stage, entry, folder: paths.folder, why };
}

const REPEAT = 'run the sweep again: it repeats the stage';

function whyMissing(stored: Stored<StageState>): string {
  if (stored.kind === 'missing') return 'not run';
  if (stored.kind === 'damaged') return `not run, and its state.json ${stored.problem}; run the sweep again`;
  const state = stored.value;
  switch (state.status) {
    case 'failed':
      return `failed: ${state.reason?.split('\n')[0] ?? 'for no recorded reason'}`;
    case 'done':
      return `done, but its result.json is gone; ${REPEAT}`;
    case 'running':
    case 'interrupted':
      return state.status;
  }
}
