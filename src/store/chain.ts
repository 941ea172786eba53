/**
 * The integrity chain of a results folder: a result names the checkpoint that it left, and the checkpoint of the
 * pre-training that it started from, each by digest. Reads files, changes none.
 */
import { existsSync } from 'node:fs';
import type { Stage } from '../spec/stages.js';
import type { StageResult } from './records.js';
import { CorruptFileError, streamSafetensors } from './safetensors.js';

/**
 * What is wrong with whose result it is.
 *
 * @returns a clause about `its result`; null: nothing is wrong.
 */
export function ownerProblem({ id, config }: Pick<Stage, 'id' | 'config'>, result: StageResult): string | null {
  if (result.kind !== config.kind)
    return `its result holds the numbers of a ${result.kind} stage, not of ${config.kind}`;
  if (result.stage !== null && result.stage !== id) return `its result is that of stage ${result.stage}`;
  return null;
}

/**
 * What is wrong with the parent that a result records.
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
  return 'the checkpoint that it started from is no longer that of its pre-training';
}

/**
 * Reads a checkpoint whole and says what is wrong with it.
 *
 * @param id Identity of the stage that it must be of.
 * @param recorded Its digest by the stage's result; undefined: none to compare with.
 * @returns a clause about the file; null: nothing is wrong.
 */
export function checkpointProblem(path: string, id: string, recorded?: string | null): string | null {
  if (!existsSync(path)) return 'is gone';
  try {
    const { sha256, metadata } = streamSafetensors(path);
    if (metadata.stage !== id) return `belongs to stage ${metadata.stage ?? '?'}`;
    return recorded === undefined || recorded === sha256 ? null : 'is not the one that its result.json names';
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error;
    return error.message.replace(`${path} `, '');
  }
}
