/**
 * Results folders → one set of jobs with their results. Reads plans and the result.json, state.json and provenance.json
 * of stages; writes nothing. Several plans and several folders of one sweep are merged: the parts that several machines
 * ran, or a grid that was extended. Runs with different settings stay apart: their configurations, which tables group
 * by, are read from their stages.
 */
import { canonicalJson } from '../common/canonical.js';
import { UsageError } from '../common/errors.js';
import { needsOfAll, standingUnder } from '../decide/needs.js';
import { needOf, type Need, type Needs } from '../decide/rules.js';
import { neededJobs, seedsProgress, type SeedsProgress } from '../decide/seeds.js';
import { selectionsOf, type SelectionOutcome } from '../decide/selection.js';
import type { Standing } from '../decide/standing.js';
import type { StageOutcome } from '../evidence/measurements.js';
import {
  entryNames,
  stageIds,
  type ObjectivePair,
  type Job,
  type Plan,
  type SeedsRule,
  type Stage,
  type TransferMetrics,
} from '../spec/stages.js';
import { unitePlans } from '../spec/unite.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import { readResult } from '../store/chain.js';
import { openJson } from '../store/files.js';
import { sweepPaths, type StagePaths, type SweepPaths } from '../store/layout.js';
import { isThere, type Stored } from '../store/open.js';
import { readState } from '../store/state.js';
import { readProvenance, type StageProvenance } from '../store/provenance.js';
import { choosePlans, type KeptPlan, type PlanChoice, type OtherPlans } from '../store/plans.js';
import { stateSchema, type StageResult, type StageState } from '../store/records.js';
import { differingKeys, isSetting, valuesOf } from './plan-values.js';

export interface ReportData {
  sweeps: SweepInfo[];
  /** In the order of the plans; jobs that several folders have are one, with the cells of all. */
  jobs: ReportJob[];
  /** Every stage of the jobs, by identity. */
  stages: ReadonlyMap<string, StageRecord>;
  /** Stages of trials, which no table shows: values were chosen by them. Absent: there are none. */
  trials?: ReadonlyMap<string, StageRecord>;
  /** Stages without a result that are needed, or may be. */
  missing: MissingResult[];
  /** How many seeds the results need; absent: the plan has a fixed number. */
  seeds?: SeedsProgress & { rule: SeedsRule };
  /** The choices for each cell; absent: all values are fixed. */
  selections?: readonly SelectionOutcome[];
  /** Compared besides the principles of the paper; absent: none. */
  compare?: readonly ObjectivePair[];
  /** The metrics of evaluations in `transfer.csv` that the spec sets; absent: it sets none. */
  metrics?: TransferMetrics;
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
  /** The stages that only other plans of the folder contain. */
  rest: OtherPlans;
}

/** A job and the name of its sweep, without evaluations that are not needed. */
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
  /**
   * `not run yet: needs the look at 5 seeds`, `failed: …`, `interrupted`, `running`, `not run`, that a result was there
   * once, or that it is damaged.
   */
  why: string;
}

/**
 * Reads results folders. Stages that the rules of a plan decided against are not part of the report, whether they have
 * results or not.
 *
 * @param choice The plans of each folder.
 * @throws UsageError if a folder has no such plan, the folders belong to sweeps of different names, or two folders
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
    plans.push(...chosen.map((kept) => kept.plan).toReversed());
    for (const stage of plan.stages) found.set(stage.id, agreed(found.get(stage.id), readStage(stage, paths)));
  }
  // All folders decide together, since they may be the shards of one sweep.
  const united = unitePlans(plans);
  const standingOf = ({ id }: Stage): Standing => standingIn(found.get(id)!);
  const names = entryNames(united);
  const needs = needsOfAll(plans, standingOf);
  const needed = [...found.values()].filter(({ stage }) => needOf(needs, stage).kind !== 'unneeded');
  const ids = new Set(needed.map(({ stage }) => stage.id));
  const selections = united.selections === undefined ? undefined : selectionsOf(united, standingOf);
  const { reported, trials } = jobsToReport(
    neededJobs(united.jobs, (id) => ids.has(id)),
    selections ?? [],
  );
  const inReport = new Set(reported.flatMap(stageIds));
  const inTrials = new Set(trials.flatMap(stageIds).filter((id) => !inReport.has(id)));
  const recordsOf = (chosen: ReadonlySet<string>): ReadonlyMap<string, StageRecord> =>
    new Map(
      needed
        .filter(({ stage }) => chosen.has(stage.id))
        .map(({ stage, result, provenance }) => [stage.id, { stage, entry: names.get(stage.id)!, result, provenance }]),
    );
  return {
    sweeps,
    jobs: reported.map((job) => ({ ...job, sweep: united.name })),
    stages: recordsOf(inReport),
    ...(inTrials.size === 0 ? {} : { trials: recordsOf(inTrials) }),
    missing: needed
      .filter(({ stage, result }) => result === null && (inReport.has(stage.id) || inTrials.has(stage.id)))
      .map((stage) => missingOf(stage, needOf(needs, stage.stage), names.get(stage.stage.id)!)),
    ...(selections === undefined ? {} : { selections }),
    ...seedsOf(united, needs, standingOf),
    ...(united.compare === undefined ? {} : { compare: united.compare }),
    ...(united.metrics === undefined ? {} : { metrics: united.metrics }),
  };
}

/**
 * The jobs that a report is of, and those of trials. Of a cell whose values are not chosen yet, the first candidate's
 * stand for those to come.
 */
function jobsToReport<J extends Job>(
  jobs: readonly J[],
  selections: readonly SelectionOutcome[],
): { reported: J[]; trials: J[] } {
  const chosen = new Map(
    selections.map(({ selection, choice }) => [selection.id, choice.kind === 'chosen' ? choice.candidate.index : 0]),
  );
  return {
    reported: jobs.filter(
      ({ candidate }) =>
        candidate === undefined || (!candidate.isTrial && candidate.index === chosen.get(candidate.selection)),
    ),
    trials: jobs.filter(({ candidate }) => candidate?.isTrial === true),
  };
}

function seedsOf(plan: Plan, needs: Needs, standingOf: (stage: Stage) => Standing): Pick<ReportData, 'seeds'> {
  const { seeds: rule } = plan;
  if (rule === undefined) return {};
  return { seeds: { rule, ...seedsProgress({ ...plan, seeds: rule }, standingUnder(plan, needs, standingOf)) } };
}

function standingIn({ result, failed, diverged }: FoundStage): Standing {
  if (result !== null) return { kind: 'done', result };
  return { kind: failed ? 'failed' : 'awaited', diverged };
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
  /** Whether its last attempt failed. */
  failed: boolean;
  /** Whether it failed since its loss diverged. */
  diverged: boolean;
}

function readStage(stage: Stage, sweep: SweepPaths): FoundStage {
  const paths = sweep.stage(stage.id);
  const result = readResult(stage, paths);
  const damage = result.kind === 'damaged' ? result.problem : null;
  if (result.kind !== 'present') {
    const state = readState(paths);
    const failed = state?.status === 'failed';
    const diverged = failed && state.cause === 'diverged';
    return { stage, result: null, provenance: null, paths, damage, failed, diverged };
  }
  const provenance = readProvenance(paths);
  return { stage, result: result.value, provenance, paths, damage, failed: false, diverged: false };
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
 * Whether two runs of one stage agree on everything but their duration and the paths of their images. A metric of only
 * one run was added by a later version, and does not count.
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

function missingOf({ stage, paths, damage }: FoundStage, need: Need, entry: string): MissingResult {
  if (need.kind === 'open') return { stage, entry, folder: paths.folder, why: `not run yet: ${need.why}` };
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
