/**
 * Whether the files of a results folder still fit together: identities, results, and the digests that join each result
 * to its checkpoint and to the pre-training that it started from. Reads every checkpoint whole, changes nothing.
 */
import { needsOfAll } from '../decide/needs.js';
import { needOf } from '../decide/rules.js';
import { standingsIn } from '../decide/standing.js';
import { basename, join, relative } from 'node:path';
import { ENGINE_REVISION, type Stage } from '../spec/stages.js';
import { leavesCheckpoint } from '../stages/index.js';
import { checkpointProblem, isItself, openResult, ownerProblem, parentProblem } from '../store/chain.js';
import { openJson } from '../store/files.js';
import { siblingPaths, STAGE_ID, sweepPaths, type StagePaths } from '../store/layout.js';
import { isThere, namesIn, type Stored } from '../store/open.js';
import { readPng } from '../store/picture.js';
import { choosePlans, PLAN_REMEDY, type PlanChoice } from '../store/plans.js';
import { diffProblem, openOrigin, openProvenance } from '../store/provenance.js';
import { stateSchema, storedStageSchema, type StageResult } from '../store/records.js';

export interface Mismatch {
  /** Path of the file, from the results folder. */
  file: string;
  /** What is wrong with it, as a clause. */
  problem: string;
  /** What to do about it. */
  remedy: string;
}

export interface Verification {
  plans: number;
  /** Stages of the plans, and others of which there are files. */
  stages: number;
  results: number;
  /** Files of weights that were read whole. */
  checkpoints: number;
  /** Stages of the chosen plans without a result. */
  missingResults: number;
  /** Results whose checkpoint is gone. */
  missingCheckpoints: number;
  /** Stages of other engine revisions: they name no digests, and only their own files are checked. */
  otherRevisions: number;
  /** Those of the plans first, then in the order of the stages. */
  mismatches: Mismatch[];
}

/**
 * Verifies a results folder: all plans, and all stages of which there are files.
 *
 * @param choice The plans whose missing results are counted.
 * @param onStage Called before each stage is read, with its place from 1 and their number.
 * @throws UsageError if the folder has no plan that can be read.
 */
export function verify(
  folder: string,
  choice: PlanChoice = 'newest',
  onStage: (place: number, of: number) => void = () => undefined,
): Verification {
  const found: Verification = {
    plans: 0,
    stages: 0,
    results: 0,
    checkpoints: 0,
    missingResults: 0,
    missingCheckpoints: 0,
    otherRevisions: 0,
    mismatches: [],
  };
  const paths = sweepPaths(folder);
  const report = (path: string, problem: string, remedy: string): void => {
    found.mismatches.push({ file: relative(folder, path), problem, remedy });
  };
  const { plans, chosen, plan, damaged } = choosePlans(paths, choice);
  found.plans = plans.length;
  for (const { path, problem } of damaged) report(path, problem, PLAN_REMEDY);
  const itself = (stage: Stage, path: string): boolean => {
    if (isItself(stage)) return true;
    report(path, 'holds a stage that does not match its identity', PLAN_REMEDY);
    return false;
  };
  const planned = plans.flatMap((kept) => kept.plan.stages.filter((stage) => itself(stage, kept.path)));
  const needs = needsOfAll(
    chosen.map((kept) => kept.plan),
    standingsIn(paths)(),
  );
  const wanted = new Set(plan.stages.filter((stage) => needOf(needs, stage).kind !== 'unneeded').map(({ id }) => id));
  const known = new Set(planned.map(({ id }) => id));
  const others = namesIn(paths.stages).filter((name) => STAGE_ID.test(name) && !known.has(name));
  const ids = [...known, ...others];
  found.stages = ids.length;
  ids.forEach((id, index) => {
    onStage(index + 1, ids.length);
    verifyStage(id, paths.stage(id), found, report);
    if (wanted.has(id) && !isThere(paths.stage(id).result)) found.missingResults += 1;
  });
  for (const name of namesIn(paths.provenance)) verifyOrigin(join(paths.provenance, name), report);
  return found;
}

type Report = (path: string, problem: string, remedy: string) => void;

const RUN_AGAIN = 'delete it and run the sweep again';
const REPEAT = 'run the sweep again: it repeats the stage';

function verifyStage(id: string, paths: StagePaths, found: Verification, report: Report): void {
  const result = present(paths.result, openResult(paths), report, REPEAT);
  if (result !== undefined) found.results += 1;
  present(paths.state, openJson(paths.state, stateSchema), report, 'delete it: it is no part of the result');
  present(paths.provenance, openProvenance(paths), report, 'delete it: the provenance of the result is lost');
  if (isThere(paths.preview) && readPng(paths.preview) === null)
    report(paths.preview, 'is not a PNG file', 'delete it');
  const files = [paths.checkpoint, paths.previousCheckpoint, paths.bestCheckpoint].filter(isThere);
  if (result === undefined && files.length === 0 && !isThere(paths.stage)) return;

  const stage = present(paths.stage, openJson(paths.stage, storedStageSchema), report, REPEAT);
  if (stage === undefined) {
    if (!isThere(paths.stage)) report(paths.stage, 'is missing beside the files of the stage', REPEAT);
    return;
  }
  if (stage.id !== id) {
    report(paths.stage, `is of stage ${stage.id}`, REPEAT);
    return;
  }
  if (!isItself(stage)) {
    report(paths.stage, 'does not match its identity: it was edited', REPEAT);
    return;
  }
  if (stage.engineRevision !== ENGINE_REVISION) {
    found.otherRevisions += 1;
    return;
  }
  if (result !== undefined) verifyResult(stage, result, paths, found, report);
  for (const path of files) {
    found.checkpoints += 1;
    const named = path === paths.checkpoint ? result?.checkpoint : undefined;
    const problem = checkpointProblem(path, id, named ?? undefined);
    if (problem !== null) report(path, problem, RUN_AGAIN);
  }
}

function verifyResult(stage: Stage, result: StageResult, paths: StagePaths, found: Verification, report: Report): void {
  const { kind } = stage.config;
  const foreign = ownerProblem(stage, result);
  if (foreign !== null) {
    report(paths.result, `is of another stage: ${foreign}`, REPEAT);
    return;
  }
  if (leavesCheckpoint(kind)) {
    if (result.checkpoint === null) report(paths.result, 'does not say which checkpoint it is of', RUN_AGAIN);
    else if (!isThere(paths.checkpoint)) found.missingCheckpoints += 1;
  } else if (result.checkpoint !== null) {
    report(paths.result, `names a checkpoint, which a ${kind} stage does not leave`, RUN_AGAIN);
  }
  // A damaged parent is reported when the parent itself is verified.
  const parent = stage.parent === null ? undefined : openResult(siblingPaths(paths, stage.parent));
  const problem = parentProblem(stage, result, parent?.kind === 'present' ? parent.value : undefined);
  if (problem !== null) report(paths.result, `cannot be trusted: ${problem}`, REPEAT);
}

/** A file of the folder with the origins of the sweep: an origin, or a diff that an origin names. */
function verifyOrigin(path: string, report: Report): void {
  const name = basename(path);
  const remedy = 'delete it: the origin of the sweep is lost';
  if (name.endsWith('.json')) present(path, openOrigin(path), report, remedy);
  const diff = /^([0-9a-f]{64})\.diff$/.exec(name);
  const problem = diff === null ? null : diffProblem(path, diff[1]!);
  if (problem !== null) report(path, problem, remedy);
}

/** The value of a file; undefined if the file is missing or damaged. A damaged file is reported. */
function present<T>(path: string, stored: Stored<T>, report: Report, remedy: string): T | undefined {
  if (stored.kind === 'damaged') report(path, stored.problem, remedy);
  return stored.kind === 'present' ? stored.value : undefined;
}
