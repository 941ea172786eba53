/** Runs one stage from its configuration to its result: the work of a worker process. */
import { mkdirSync, rmSync } from 'node:fs';
import { TrainingError, UsageError } from '../common/errors.js';
import { openStageData } from '../data/stage-data.js';
import type { Values } from '../model/parameters.js';
import { hasProducts } from '../ops/index.js';
import type { Stage, StageConfig } from '../spec/stages.js';
import { EVALUATIONS, leavesCheckpoint, type Evaluation, type EvaluationStageConfig } from '../stages/index.js';
import { openJson, writeJson } from '../store/files.js';
import { siblingPaths, type StagePaths } from '../store/layout.js';
import { stageSchema, type StageNumbers, type StageResult } from '../store/records.js';
import { describeCheckpoint } from '../weights/about.js';
import { readGiven } from '../weights/given.js';
import { withMemoryRemedy } from './memory-remedy.js';
import { readParent } from './parent.js';
import { pretrain } from './pretrain.js';
import { readSafetensorsHeader } from '../store/safetensors.js';
import { damagedImages, type StageContext } from './stage-context.js';

interface Surroundings extends Pick<
  StageContext,
  'device' | 'emit' | 'signal' | 'mayWrite' | 'checkpointEvery' | 'features'
> {
  /** Number of processor cores that are reserved for the process (1). */
  readonly cores?: number;
}

/** The remedy for a device without a precision. */
const NEEDS = {
  float16: 'use a GPU with shader-f16 by --device webgpu',
  bfloat16: 'use --device simd',
} as const;

/**
 * Runs a stage in its folder, from its last checkpoint if there is one, and writes its result.
 *
 * @throws TrainingError if it cannot continue; Interrupted if it received a stop signal; UsageError for missing data.
 */
export async function runStage(
  stage: Stage,
  paths: StagePaths,
  { cores = 1, ...surroundings }: Surroundings,
): Promise<StageResult> {
  mkdirSync(paths.folder, { recursive: true });
  // Without this file, no stage can start from this one.
  if (openJson(paths.stage, stageSchema).kind !== 'present') writeJson(paths.stage, stage);
  const { precision = 'float32' } = stage.config.model;
  if (precision !== 'float32' && !hasProducts(precision)) {
    throw new TrainingError(
      `device ${surroundings.device} does not multiply in ${precision}; ${NEEDS[precision]}, or model.precision: float32`,
    );
  }
  const dataset = await openStageData(stage.config, cores);
  if (dataset.fingerprint !== stage.dataFingerprint) {
    const changes = await dataset.changesSince?.(stage.dataFingerprint);
    throw new TrainingError(
      `the ${dataset.name} data set changed since the sweep was planned${changes ? ` (${changes})` : ''}; start the sweep again`,
    );
  }
  const id = stage.parent;
  const parent = id === null ? null : { id, ...readParent(siblingPaths(paths, id), id) };
  const context: StageContext = {
    ...surroundings,
    cores,
    identity: { stage: stage.id, parent: parent?.sha256 ?? null },
    paths,
    dataset,
    parent: parent?.weights ?? givenWeights(stage.config),
    about: describeCheckpoint(stage, parent?.config ?? null, dataset.classes),
  };
  // A training of all weights needs the memory.
  if (leavesCheckpoint(stage.config.kind)) surroundings.features?.clear();
  const numbers = await run(stage.config, context).catch((error: unknown) => {
    throw withMemoryRemedy(error, stage.config);
  });
  const result: StageResult = {
    ...numbers,
    damagedImages: damagedImages(dataset),
    stage: stage.id,
    parent: parent && { id: parent.id, sha256: parent.sha256 },
    checkpoint: leavesCheckpoint(stage.config.kind) ? readSafetensorsHeader(paths.checkpoint).sha256 : null,
  };
  for (const file of result.corruptImages) {
    surroundings.emit({ type: 'warning', message: `skipped an image that cannot be decoded: ${file}` });
  }
  for (const file of result.damagedImages ?? []) {
    surroundings.emit({ type: 'warning', message: `used a damaged image, parts of which may be grey: ${file}` });
  }
  surroundings.mayWrite();
  writeJson(paths.result, result);
  rmSync(paths.previousCheckpoint, { recursive: true, force: true });
  return result;
}

/** The weights of the stage's file, which must be the planned one. */
function givenWeights(config: StageConfig): Values | null {
  const { weights } = config;
  if (weights === undefined) return null;
  try {
    return readGiven({ ...config, weights });
  } catch (error) {
    if (error instanceof UsageError) throw new TrainingError(error.message);
    throw error;
  }
}

function run(config: StageConfig, context: StageContext): Promise<StageNumbers> {
  return config.kind === 'pretrain' ? pretrain(config, context) : evaluate(config, context);
}

/** The function that runs each evaluation. */
type Runs = {
  [Name in Evaluation]: {
    run: (config: EvaluationStageConfig<Name>, context: StageContext) => Promise<StageNumbers>;
  };
};

function evaluate<Name extends Evaluation>(
  config: EvaluationStageConfig<Name>,
  context: StageContext,
): Promise<StageNumbers> {
  const entries: Runs = EVALUATIONS;
  return entries[config.kind].run(config, context);
}
