/** The pre-training from which a stage starts: its weights, checked against its identity and its own result. */
import { messageOf, TrainingError } from '../common/errors.js';
import type { Values } from '../model/parameters.js';
import { pretrainShapes } from '../spec/shapes.js';

import { readJson } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import { resultSchema, stageSchema } from '../store/records.js';
import type { PretrainConfig } from '../spec/stages.js';
import { readWeights } from './state.js';

export interface Parent {
  weights: Values;
  /** Digest of the checkpoint, computed from the file and verified. */
  sha256: string;
  config: PretrainConfig;
}

/**
 * Reads the weights that a finished pre-training wrote.
 *
 * @param paths The files of the pre-training.
 * @param id Its identity.
 * @throws TrainingError if a file is missing, damaged or of another stage, or if the checkpoint is not the one that the
 * result names. The message names the files and the remedy.
 */
export function readParent(paths: StagePaths, id: string): Parent {
  const config = readConfig(paths, id);
  const recorded = readDigest(paths, id);
  let parent: Omit<Parent, 'config'>;
  try {
    parent = readWeights(paths.checkpoint, { stage: id, parent: null, shapes: pretrainShapes(config) });
  } catch (error) {
    throw refusal(messageOf(error), id);
  }
  if (parent.sha256 !== recorded) {
    const [found, named] = [parent.sha256, recorded].map((digest) => digest.slice(0, 12));
    throw refusal(`${paths.checkpoint} (${found}…) is not the checkpoint that ${paths.result} names (${named}…)`, id);
  }
  return { ...parent, config };
}

function readConfig({ stage: path }: StagePaths, id: string): PretrainConfig {
  const stage = orRefuse(id, () => readJson(path, stageSchema));
  if (stage === undefined) throw refusal(`${path} is missing`, id);
  if (stage.id !== id) throw refusal(`${path} is of stage ${stage.id}`, id);
  if (stage.config.kind !== 'pretrain') throw refusal(`${path} is of a ${stage.config.kind} stage`, id);
  return stage.config;
}

/** The digest of the checkpoint in the result. */
function readDigest({ result: path }: StagePaths, id: string): string {
  const result = orRefuse(id, () => readJson(path, resultSchema));
  if (result === undefined) throw refusal(`${path} is missing`, id);
  if (result.kind !== 'pretrain') throw refusal(`${path} is of a ${result.kind} stage`, id);
  if (result.checkpoint === null) throw refusal(`${path} does not say which checkpoint it is of`, id);
  return result.checkpoint;
}

function orRefuse<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw refusal(messageOf(error), id);
  }
}

const refusal = (what: string, id: string): TrainingError =>
  new TrainingError(`${what}; run the sweep again: it repeats pre-training ${id} if its files do not fit together`);
