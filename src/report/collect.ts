/**
 * Results folders → one set of jobs with their results. Reads plan.json and the result.json, state.json
 * and provenance.json of stages; writes nothing. Several folders of one sweep are merged: the parts that several machines
 * ran, or a grid that was extended.
 */
import { existsSync } from 'node:fs';
import { canonicalJson } from '../common/canonical.js';
import { UsageError } from '../common/errors.js';
import type { Job, Stage } from '../spec/stages.js';
import { ownerProblem, parentProblem } from '../store/chain.js';
import { readJson } from '../store/files.js';
import { siblingPaths, sweepPaths, type StagePaths, type SweepPaths } from '../store/layout.js';
import { readProvenance, type StageProvenance } from '../store/provenance.js';
import { readPlan } from '../store/plan.js';
import { resultSchema, stateSchema, type StageResult, type StageState } from '../store/records.js';

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
}

/** A job and the sweep it was first met in. */
export interface ReportJob extends Job {
  sweep: string;
}

export interface StageRecord {
  stage: Stage;
  /** null: missing. */
  result: StageResult | null;
  /** Of the result that was taken; null: not recorded. */
  provenance: StageProvenance | null;
}

export interface MissingResult {
  stage: Stage;
  /** The folder of the stage. */
  folder: string;
  /** `failed: …`, `interrupted`, `running`, `not run`, or that a result was there once. */
  why: string;
}

/**
 * Reads results folders.
 *
 * @throws UsageError where a folder holds no plan, a file is damaged, the folders belong to sweeps of different names,
 *   or two folders disagree on a stage's result.
 */
export function collect(folders: readonly string[]): ReportData {
  if (folders.length === 0) throw new UsageError('name at least one results folder, such as results/smoke');
  const sweeps: SweepInfo[] = [];
  const jobs = new Map<string, ReportJob>();
  const found = new Map<string, FoundStage>();

  for (const folder of folders) {
    const paths = sweepPaths(folder);
    const plan = readPlan(paths);
    const { name, description = null, leftOut } = plan;
    mustBeOneSweep(sweeps[0], { name, folder });
    sweeps.push({ name, folder, description, leftOut: leftOut.length });
    for (const stage of plan.stages) found.set(stage.id, agreed(found.get(stage.id), readStage(stage, paths)));
    for (const job of plan.jobs) addJob(jobs, job, name);
  }
  return {
    sweeps,
    jobs: [...jobs.values()],
    stages: new Map(
      [...found.values()].map(({ stage, result, provenance }) => [stage.id, { stage, result, provenance }]),
    ),
    missing: [...found.values()].filter(({ result }) => result === null).map(missingOf),
  };
}

function mustBeOneSweep(first: SweepInfo | undefined, other: Pick<SweepInfo, 'name' | 'folder'>): void {
  if (first === undefined || first.name === other.name) return;
  throw new UsageError(
    `${first.folder} holds the sweep "${first.name}" and ${other.folder} the sweep "${other.name}"; ` +
      'only folders of one sweep are merged, so report them apart, or give both specs one name',
  );
}

interface FoundStage extends StageRecord {
  paths: StagePaths;
}

function readStage(stage: Stage, sweep: SweepPaths): FoundStage {
  const paths = sweep.stage(stage.id);
  const result = readJson(paths.result, resultSchema) ?? null;
  const problem = result === null ? null : (ownerProblem(stage, result) ?? brokenChain(stage, result, paths));
  if (problem !== null) {
    throw new UsageError(`${paths.result} does not fit: ${problem}. Run the sweep again: it repeats the stage`);
  }
  return { stage, result, provenance: readProvenance(paths), paths };
}

/** What is wrong with the parent that a result names; null where it names none, as those of engine revision 1. */
function brokenChain(stage: Stage, result: StageResult, paths: StagePaths): string | null {
  if (result.parent === null) return null;
  const parent = stage.parent === null ? undefined : readJson(siblingPaths(paths, stage.parent).result, resultSchema);
  return parentProblem(stage, result, parent);
}

/** The first record with a result, else the first that was tried; two results of a stage must have the same numbers. */
function agreed(first: FoundStage | undefined, second: FoundStage): FoundStage {
  if (first === undefined) return second;
  if (first.result === null) return second.result !== null || !existsSync(first.paths.state) ? second : first;
  if (second.result !== null && numbersOf(first.result) !== numbersOf(second.result)) {
    throw new UsageError(
      `${first.paths.result} and ${second.paths.result} are results of one stage and differ; ` +
        'report their folders apart, or delete the one you do not trust',
    );
  }
  return first;
}

/** What two runs of one stage must agree on: everything but how long they took, and where each had its images. */
function numbersOf(result: StageResult): string {
  const { corruptImages, damagedImages, ...numbers } = result;
  return canonicalJson({ ...numbers, seconds: null, imagesPerSecond: null, corruptImages: corruptImages.length });
}

function addJob(jobs: Map<string, ReportJob>, job: Job, sweep: string): void {
  const identity = canonicalJson([job.pretrain, job.evaluations]);
  const known = jobs.get(identity);
  const cells = new Map([...(known?.cells ?? []), ...job.cells].map((cell) => [canonicalJson(cell), cell]));
  jobs.set(identity, { sweep, ...job, ...known, cells: [...cells.values()] });
}

function missingOf({ stage, paths }: FoundStage): MissingResult {
  const state = readJson(paths.state, stateSchema);
  return { stage, folder: paths.folder, why: whyMissing(state) };
}

function whyMissing(state: StageState | undefined): string {
  if (state === undefined) return 'not run';
  switch (state.status) {
    case 'failed':
      return `failed: ${state.reason?.split('\n')[0] ?? 'for no recorded reason'}`;
    case 'done':
      return 'done, but its result.json is gone';
    case 'running':
    case 'interrupted':
      return state.status;
  }
}
