/**
 * The integrity chain of a results folder: a result names the checkpoint that it left, and the checkpoint of the
 * pre-training that it started from, each by digest. Reads files, changes none.
 */
import { identify } from '../spec/plan.js';
import type { Stage } from '../spec/stages.js';
import { openJson } from './files.js';
import { siblingPaths, type StagePaths } from './layout.js';
import { isThere, type Stored } from './open.js';
import { resultSchema, type StageResult } from './records.js';
import { CorruptFileError, streamSafetensors } from './safetensors.js';

/** Whether the content of a stage has its identity, under the engine revision that it names. */
export function isItself({ id, config, parent, dataFingerprint, engineRevision }: Stage): boolean {
  return identify(config, parent, dataFingerprint, engineRevision).id === id;
}

/** `result.json` of a stage, damaged or not; whether it fits the stage is another question. */
export const openResult = ({ result }: Pick<StagePaths, 'result'>): Stored<StageResult> =>
  openJson(result, resultSchema);

/**
 * The result of a stage, for every command alike. A result that belongs to another stage, or that started from another
 * pre-training than there is now, is as damaged as half a file: no command counts it, and the next sweep repeats the
 * stage.
 *
 * @returns in `problem` a clause that names the file.
 */
export function readResult(stage: Stage, paths: StagePaths): Stored<StageResult> {
  const stored = openResult(paths);
  if (stored.kind === 'missing') return stored;
  if (stored.kind === 'damaged') return { kind: 'damaged', problem: `its result.json ${stored.problem}` };
  const problem = isItself(stage)
    ? (ownerProblem(stage, stored.value) ?? brokenChain(stage, stored.value, paths))
    : 'the stage in the plan does not match its identity';
  return problem === null ? stored : { kind: 'damaged', problem };
}

/** The problem with the parent that a result names; null if it names none, as results of engine revision 1 do. */
function brokenChain(stage: Stage, result: StageResult, paths: StagePaths): string | null {
  if (result.parent === null) return null;
  const parent = stage.parent === null ? null : openResult(siblingPaths(paths, stage.parent));
  return parentProblem(stage, result, parent?.kind === 'present' ? parent.value : undefined);
}

/**
 * The problem if the result belongs to another stage.
 *
 * @returns a clause about `its result`; null: nothing is wrong.
 */
export function ownerProblem({ id, config }: Pick<Stage, 'id' | 'config'>, result: StageResult): string | null {
  if (result.kind !== config.kind)
    return `its result holds the numbers of a ${result.kind} stage, not of ${config.kind}`;
  if (result.stage !== null && result.stage !== id) return `its result belongs to stage ${result.stage}`;
  return null;
}

/**
 * The problem with the parent that a result records.
 *
 * @param parent The present result of the parent; undefined: there is none to compare with.
 * @returns a clause about `its result`; null: nothing is wrong.
 */
export function parentProblem(
  stage: Pick<Stage, 'parent'>,
  result: Pick<StageResult, 'parent'>,
  parent: Pick<StageResult, 'checkpoint'> | undefined,
): string | null {
  const recorded = result.parent;
  if (stage.parent === null) {
    return recorded === null ? null : 'its result names a pre-training, and it starts from none';
  }
  if (recorded === null) return 'its result does not say which checkpoint it started from';
  if (recorded.id !== stage.parent) return `its result is of a stage that started from ${recorded.id}`;
  if (parent === undefined || parent.checkpoint === recorded.sha256) return null;
  return 'the checkpoint that it started from is no longer the checkpoint of its pre-training';
}

/**
 * Reads a whole checkpoint and returns its problem.
 *
 * @param id Identity of the stage that it must be of.
 * @param recorded Its digest by the stage's result; undefined: none to compare with.
 * @returns a clause about the file; null: nothing is wrong.
 */
export function checkpointProblem(path: string, id: string, recorded?: string | null): string | null {
  if (!isThere(path)) return 'is gone';
  try {
    const { sha256, metadata } = streamSafetensors(path);
    if (metadata.stage !== id) return `belongs to stage ${metadata.stage ?? '?'}`;
    return recorded === undefined || recorded === sha256 ? null : 'is not the one that its result.json names';
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error;
    return error.message.replace(`${path} `, '');
  }
}
