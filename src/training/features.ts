/** Frozen features of the labelled training images and of the images on which the probes are measured. */
import * as tf from '@tensorflow/tfjs';
import { labelledSubset, type Dataset, type Split } from '../data/split.js';
import { measuredSplit } from '../data/stage-data.js';
import { disposeParameters, initialValues, toParameters, transfer } from '../model/parameters.js';
import { features } from '../model/vit.js';
import type { EvaluationConfig } from '../stages/evaluation.js';
import { Interrupted } from './interrupted.js';
import { accuracies, applyToSplit } from './evaluate.js';
import { corruptImages, type StageContext } from './stage-context.js';

export interface FeatureSet {
  /** [length, width], row-major. */
  features: Float32Array;
  labels: Uint32Array;
  width: number;
}

/**
 * Extracts features with the parent's encoder. Without a parent the encoder has initial weights: their features are the
 * proper baseline of a probe, and score far above chance (PAPER.md §13).
 */
export async function extractFeatures(
  {
    seed,
    data,
    split,
    model,
    shots,
  }: Pick<EvaluationConfig<string, unknown>, 'seed' | 'data' | 'split' | 'model' | 'shots'>,
  { dataset, parent, signal }: Pick<StageContext<Dataset<'class'>>, 'dataset' | 'parent'> & { signal?: AbortSignal },
): Promise<{ train: FeatureSet; test: FeatureSet }> {
  const fresh = initialValues(model, { for: 'encoding' }, seed);
  const parameters = toParameters(parent ? transfer(parent, fresh) : fresh);
  const encodeSplit = async (split: Split<number>): Promise<FeatureSet> => {
    const { outputs, targets, width } = await applyToSplit(split, model.imageSize, (images) => {
      // A probe keeps no checkpoint, so there is nothing to wait for.
      if (signal?.aborted) throw new Interrupted('stopped before the probe was done; it begins anew');
      return features(parameters, model, images);
    });
    return { features: outputs, labels: Uint32Array.from(targets), width };
  };
  try {
    const train = await encodeSplit(labelledSubset(dataset.train, { ...data, shots }, seed));
    return { train, test: await encodeSplit(measuredSplit({ split }, dataset)) };
  } finally {
    disposeParameters(parameters);
  }
}

/**
 * Subtracts the training mean of each feature and divides by its standard deviation: a batch norm without parameters,
 * which MAE has before its linear classifier. In place, on both sets.
 */
export function standardize(train: FeatureSet, test: FeatureSet): void {
  const { width } = train;
  const count = train.labels.length;
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += train.features[i * width + j]! / count;
    let variance = 0;
    for (let i = 0; i < count; i++) variance += (train.features[i * width + j]! - mean) ** 2 / count;
    const inverse = 1 / Math.sqrt(variance + 1e-6);
    for (const { features: values } of [train, test]) {
      for (let at = j; at < values.length; at += width) values[at] = (values[at]! - mean) * inverse;
    }
  }
}

/** Rows of a feature set as a tensor: [end − begin, width]. */
export function rowsOf(set: FeatureSet, begin: number, end: number): tf.Tensor2D {
  return tf.tensor2d(set.features.subarray(begin * set.width, end * set.width), [end - begin, set.width]);
}

/** The part of any probe's result that follows from its scores [test, classes]. */
export function probed(
  scores: Float32Array,
  { train, test }: { train: FeatureSet; test: FeatureSet },
  dataset: Dataset,
) {
  return {
    imagesPerSecond: null,
    corruptImages: corruptImages(dataset),
    ...accuracies(scores, test.labels, dataset.classes.length),
    testImages: test.labels.length,
    trainImages: train.labels.length,
  };
}
