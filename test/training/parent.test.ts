/** A stage starts from the weights that its own pre-training wrote with its result, and from no others. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { TrainingError } from '../../src/common/errors.js';
import { initialValues, type Values } from '../../src/model/parameters.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage, StageKind } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { writeJson } from '../../src/store/files.js';
import { stagePaths, type StagePaths } from '../../src/store/layout.js';
import { readSafetensorsHeader } from '../../src/store/safetensors.js';
import { pretrainPurpose } from '../../src/spec/shapes.js';
import { ema } from '../../src/training/optimizers/ema.js';
import type { Optimizer } from '../../src/training/optimizers/optimizer.js';
import { sgd } from '../../src/training/optimizers/sgd.js';
import { readParent } from '../../src/training/parent.js';
import { disposeState, freshState, saveState } from '../../src/training/state.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 8, trainImages: 10, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, patchSize: 4, decoder: { dim: 8, depth: 1, heads: 2 } }
  evaluate: [knn]
grid: { objective: [masked, zoomed-in], seed: [0, 1] }
`;
const { stages } = buildPlan(readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' }), () => 'fingerprint');

const folder = temporaryFolder();
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => {
  folder.remove();
});

function stageOf(kind: StageKind, seed: number, masked = true): Stage {
  const isOf = ({ config }: Stage): boolean =>
    config.kind === kind &&
    config.seed === seed &&
    (config.kind !== 'pretrain' || config.task.maskRatio > 0 === masked);
  return stages.find(isOf)!;
}

function firstWeights({ config }: Stage): Values {
  if (config.kind !== 'pretrain') throw new Error('not a pre-training');
  return initialValues(config.model, pretrainPurpose(config), config.seed);
}

const resultOf = (stage: Stage, checkpoint: string | null) => ({
  ...{ kind: 'pretrain', epochs: 1, steps: 1, imagesPerSecond: null, seconds: 0, corruptImages: [] },
  ...{ stage: stage.id, parent: null, checkpoint },
  ...{ loss: 1, firstLoss: 1, largestGradientNorm: 1, batchSize: 1, losses: [1], zeroLoss: 1, trainImages: 1 },
});

let count = 0;
/** Writes the files of a finished pre-training to a new folder. */
async function leave(stage: Stage, optimizers?: readonly Optimizer[]): Promise<StagePaths> {
  const paths = stagePaths(join(folder.path, `${count++}`));
  mkdirSync(paths.folder, { recursive: true });
  const options = { depth: 1, layerDecay: 1, weightDecay: 0, ...(optimizers && { optimizers }) };
  const state = freshState(firstWeights(stage), options);
  await saveState(paths, { stage: stage.id, parent: null }, state);
  disposeState(state);
  writeJson(paths.stage, stage);
  writeJson(paths.result, resultOf(stage, readSafetensorsHeader(paths.checkpoint).sha256));
  return paths;
}

it.each([true, false])('has the weights and the digest of its checkpoint (masked: %s)', async (masked) => {
  const stage = stageOf('pretrain', 1, masked);
  const paths = await leave(stage);
  const { weights, sha256 } = readParent(paths, stage.id);
  expect(weights).toEqual(firstWeights(stage));
  expect(weights.has('mask_token')).toBe(masked);
  expect(sha256).toBe(readSafetensorsHeader(paths.checkpoint).sha256);
});

it('has the weights of a pre-training with averages and another optimiser', async () => {
  const stage = stageOf('pretrain', 1);
  const paths = await leave(stage, [sgd({ momentum: 0.9 }), ema(0.5)]);
  expect(readParent(paths, stage.id).weights).toEqual(firstWeights(stage));
});

const own = stageOf('pretrain', 0);
it.each<[string, string, (paths: StagePaths) => void]>([
  [
    'no stage file',
    'stage.json is missing',
    ({ stage }) => {
      rmSync(stage);
    },
  ],
  [
    'no result',
    'result.json is missing',
    ({ result }) => {
      rmSync(result);
    },
  ],
  [
    'no checkpoint',
    'checkpoint',
    ({ checkpoint }) => {
      rmSync(checkpoint);
    },
  ],
  [
    'the stage file of another seed',
    `is of stage ${stageOf('pretrain', 1).id}`,
    ({ stage }) => {
      writeJson(stage, stageOf('pretrain', 1));
    },
  ],
  [
    'a result without a digest',
    'does not say which checkpoint it is of',
    ({ result }) => {
      writeJson(result, resultOf(own, null));
    },
  ],
  [
    'the result of another checkpoint',
    `is not the checkpoint that`,
    ({ result }) => {
      writeJson(result, resultOf(own, 'a'.repeat(64)));
    },
  ],
  [
    'a result of another kind of stage',
    'is of a knn stage',
    ({ result }) => {
      writeJson(result, {
        ...{ kind: 'knn', epochs: 0, steps: 0, imagesPerSecond: null, seconds: 0, corruptImages: [] },
        ...{ stage: own.id, parent: null, checkpoint: null, k: 1 },
        ...{ accuracy: 50, top5: null, testImages: 1, trainImages: 1 },
      });
    },
  ],
])('is rejected with %s', async (_what, message, change) => {
  const paths = await leave(own);
  change(paths);
  let failure: unknown;
  try {
    readParent(paths, own.id);
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(TrainingError);
  expect((failure as Error).message).toContain(message);
  expect((failure as Error).message).toContain(`it repeats pre-training ${own.id}`);
});

it('is rejected if it is not a pre-training', async () => {
  const knn = stageOf('knn', 0);
  const paths = await leave(own);
  writeJson(paths.stage, knn);
  expect(() => readParent(paths, knn.id)).toThrow('is of a knn stage');
});
