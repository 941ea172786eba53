/**
 * A segmentation of `shapes` without random views or dropout: the features of an image are the same in every epoch. So PyTorch can
 * train its own probe on the features that vitmim computes.
 */
import * as tf from '@tensorflow/tfjs';
import { openDataset } from '../../src/data/dataset.js';
import { measuredSplit } from '../../src/data/stage-data.js';
import type { Split } from '../../src/data/split.js';
import type { ClassMask } from '../../src/data/target.js';
import { disposeParameters, initialValues, toParameters, type Values } from '../../src/model/parameters.js';
import { encodedPatches } from '../../src/model/vit.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import type { Stage } from '../../src/spec/stages.js';
import type { SegmentConfig } from '../../src/stages/segment.js';
import { applyToSplit } from '../../src/training/evaluate.js';

const SPEC = `
job:
  objective: scratch
  data: { name: shapes, imageSize: 16, trainImages: 240, testImages: 100, masks: figure }
  model: { patchSize: 2, dim: 32, depth: 2, heads: 2 }
  segment: { epochs: 8, batchSize: 16, baseLearningRate: 0.32, warmupEpochs: 1, dropout: 0, cropScale: [1, 1], flip: false }
  evaluate: [segment]
`;

export interface SegmentationCase {
  stage: Stage;
  config: SegmentConfig;
  classes: readonly string[];
  train: { features: Float32Array; masks: Uint8Array };
  test: { features: Float32Array; masks: Uint8Array };
  /** The initial weights of the head. */
  head: Values;
}

/** The case, with its features by the active device. */
export async function segmentationCase(): Promise<SegmentationCase> {
  const sweep = readSweep(SPEC, { file: 'segmentation.yaml', defaultName: 'segmentation' });
  const dataset = await openDataset(sweep.cells[0]!.job.data);
  const stage = buildPlan(sweep, () => dataset.fingerprint).stages[0]!;
  const { config } = stage;
  if (config.kind !== 'segment' || dataset.targets !== 'mask') throw new Error('expected a segmentation');
  const { model, seed } = config;
  const encoder = toParameters(initialValues(model, { for: 'encoding' }, seed));
  const read = async (split: Split<ClassMask>) => {
    const encode = (images: tf.Tensor4D): tf.Tensor2D =>
      tf.reshape(encodedPatches(encoder, model, images), [images.shape[0], -1]);
    const { outputs, targets } = await applyToSplit(split, model.imageSize, encode);
    return { features: outputs, masks: Uint8Array.from(targets.flatMap(({ data }) => [...data])) };
  };
  const [train, test] = [await read(dataset.train), await read(measuredSplit(config, dataset))];
  disposeParameters(encoder);
  const head = initialValues(model, { for: 'segmentation', classes: dataset.classes.length, train: 'head' }, seed);
  return { stage, config, classes: dataset.classes, train, test, head };
}
