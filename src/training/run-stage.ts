/** One stage from its configuration to its result: what a worker process does. */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TrainingError, unreachable } from '../common/errors.js';
import { openDataset } from '../data/dataset.js';
import { hasHalfProducts } from '../ops/index.js';
import type { Stage } from '../spec/stages.js';
import { writeJson } from '../store/files.js';
import { stagePaths, type StagePaths } from '../store/layout.js';
import type { StageNumbers, StageResult } from '../store/records.js';
import { finetune } from './finetune.js';
import { withMemoryRemedy } from './memory-remedy.js';
import { nearestNeighbours } from './knn.js';
import { linearProbe } from './linear.js';
import type { Values } from '../model/parameters.js';
import { pretrain } from './pretrain.js';
import { CorruptFileError } from './safetensors.js';
import type { StageContext } from './stage-context.js';
import { readWeights } from './state.js';

interface Surroundings extends Pick<StageContext, 'device' | 'emit' | 'signal' | 'mayWrite' | 'checkpointEvery'> {
  /** That the process may have to itself (1). */
  readonly cores?: number;
}

/**
 * Runs a stage in its folder, from its last checkpoint where there is one, and writes its result.
 *
 * @throws TrainingError when it cannot go on; Interrupted when it was asked to stop; UsageError for missing data.
 */
export async function runStage(
  stage: Stage,
  paths: StagePaths,
  { cores, ...surroundings }: Surroundings,
): Promise<StageResult> {
  mkdirSync(paths.folder, { recursive: true });
  if (stage.config.model.precision === 'float16' && !hasHalfProducts()) {
    throw new TrainingError(
      `device ${surroundings.device} does not multiply in float16; use a GPU with shader-f16 by --device webgpu, or model.precision: float32`,
    );
  }
  const dataset = await openDataset(stage.config.data, cores);
  if (dataset.fingerprint !== stage.dataFingerprint) {
    const changes = await dataset.changesSince?.(stage.dataFingerprint);
    throw new TrainingError(
      `the ${dataset.name} data set changed since the sweep was planned${changes ? ` (${changes})` : ''}; start the sweep again`,
    );
  }
  const parent = stage.parent === null ? null : readParent(parentCheckpoint(paths, stage.parent));
  const numbers = await run(stage, { ...surroundings, stage, paths, dataset, parent }).catch((error: unknown) => {
    throw withMemoryRemedy(error, stage.config);
  });
  const result: StageResult = { ...numbers, parent: null, checkpoint: null };
  for (const file of result.corruptImages) {
    surroundings.emit({ type: 'warning', message: `passed over an image that cannot be decoded: ${file}` });
  }
  surroundings.mayWrite();
  writeJson(paths.result, result);
  rmSync(paths.previousCheckpoint, { force: true });
  return result;
}

function run({ config }: Stage, context: StageContext): Promise<StageNumbers> {
  switch (config.kind) {
    case 'pretrain':
      return pretrain(config, context);
    case 'finetune':
      return finetune(config, context);
    case 'linear':
      return linearProbe(config, context);
    case 'knn':
      return nearestNeighbours(config, context);
    default:
      return unreachable(config);
  }
}

function readParent(checkpoint: string): Values {
  try {
    return readWeights(checkpoint);
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error;
    throw new TrainingError(`${error.message}; delete it, and the sweep pre-trains again`);
  }
}

/** Stages lie side by side in one folder. */
function parentCheckpoint({ folder }: StagePaths, parent: string): string {
  return stagePaths(join(dirname(folder), parent)).checkpoint;
}
