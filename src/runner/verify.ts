/**
 * Whether the files of a results folder still fit together: identities, results, and the digests that join each result
 * to its checkpoint and to the pre-training that it started from. Reads every checkpoint whole, changes nothing.
 */
import { existsSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { identify } from '../spec/plan.js';
import { ENGINE_REVISION, type Stage } from '../spec/stages.js';
import { leavesCheckpoint } from '../stages/index.js';
import { readJson } from '../store/files.js';
import { siblingPaths, sweepPaths, type StagePaths } from '../store/layout.js';
import { choosePlans, type PlanChoice } from '../store/plans.js';
import { resultSchema, storedStageSchema, type StageResult } from '../store/records.js';
import { checkpointProblem, ownerProblem, parentProblem } from '../store/chain.js';

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
 * @throws UsageError where the folder holds no plan that can be read.
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
  const { plans, plan, damaged } = choosePlans(paths, choice);
  found.plans = plans.length;
  const anew = 'run the sweep again: it writes the plan anew';
  for (const { path } of damaged) report(path, 'is damaged, or not of this version of vitmim', anew);
  const itself = (stage: Stage, path: string): boolean => {
    if (isItself(stage)) return true;
    report(path, 'holds a stage that is not what its identity says', anew);
    return false;
  };
  const planned = plans.flatMap((kept) => kept.plan.stages.filter((stage) => itself(stage, kept.path)));
  const wanted = new Set(plan.stages.map(({ id }) => id));
  const known = new Set(planned.map(({ id }) => id));
  const others = stageFolders(paths.stages).filter((id) => !known.has(id));
  const ids = [...known, ...others];
  found.stages = ids.length;
  ids.forEach((id, index) => {
    onStage(index + 1, ids.length);
    verifyStage(id, paths.stage(id), found, report);
    if (wanted.has(id) && !existsSync(paths.stage(id).result)) found.missingResults += 1;
  });
  return found;
}

/** The content of a stage has its identity, under the engine revision that it names. */
function isItself(stage: Stage): boolean {
  try {
    const { id, config, parent, dataFingerprint, engineRevision } = stage;
    return ID.test(id) && identify(config, parent, dataFingerprint, engineRevision).id === id;
  } catch {
    return false;
  }
}

const ID = /^[0-9a-f]{16}$/;

function stageFolders(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => ID.test(name)) : [];
}

type Report = (path: string, problem: string, remedy: string) => void;

const RUN_AGAIN = 'delete it and run the sweep again';
const REPEAT = 'run the sweep again: it repeats the stage';

function verifyStage(id: string, paths: StagePaths, found: Verification, report: Report): void {
  const result = readOrReport(paths.result, () => readJson(paths.result, resultSchema), report, REPEAT);
  if (result !== undefined) found.results += 1;
  const files = [paths.checkpoint, paths.previousCheckpoint, paths.bestCheckpoint].filter((path) => existsSync(path));
  if (result === undefined && files.length === 0 && !existsSync(paths.stage)) return;

  const stage = readOrReport(paths.stage, () => readJson(paths.stage, storedStageSchema), report, REPEAT);
  if (stage === undefined) {
    if (!existsSync(paths.stage)) report(paths.stage, 'is missing beside the files of the stage', REPEAT);
    return;
  }
  if (stage.id !== id) {
    report(paths.stage, `is of stage ${stage.id}`, REPEAT);
    return;
  }
  if (!isItself(stage)) {
    report(paths.stage, 'is not what its identity says: it was edited', REPEAT);
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
    else if (!existsSync(paths.checkpoint)) found.missingCheckpoints += 1;
  } else if (result.checkpoint !== null) {
    report(paths.result, `names a checkpoint, which a ${kind} stage does not leave`, RUN_AGAIN);
  }
  const parent = stage.parent === null ? undefined : resultOf(siblingPaths(paths, stage.parent));
  const problem = parentProblem(stage, result, parent);
  if (problem !== null) report(paths.result, `cannot be trusted: ${problem}`, REPEAT);
}

/** undefined where it is missing or damaged; damage is told of where the stage itself is verified. */
function resultOf({ result }: StagePaths): StageResult | undefined {
  try {
    return readJson(result, resultSchema);
  } catch {
    return undefined;
  }
}

/** undefined where there is no such file, or a damaged one. */
function readOrReport<T>(path: string, read: () => T | undefined, report: Report, remedy: string): T | undefined {
  try {
    return read();
  } catch {
    report(path, 'is damaged, or not of this version of vitmim', remedy);
    return undefined;
  }
}
