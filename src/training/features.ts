/**
 * Frozen features of the labelled training images, of the images on which the probes are measured, and of the validation
 * images where they choose on these.
 */
import * as tf from '@tensorflow/tfjs';
import { TrainingError } from '../common/errors.js';
import { labelledSubset, type Dataset, type Split } from '../data/split.js';
import { measuredSplit } from '../data/stage-data.js';
import { disposeParameters, initialValues, toParameters, transfer, type Parameters } from '../model/parameters.js';
import { features } from '../model/vit.js';
import type { EncoderConfig } from '../spec/model.js';
import type { EvaluationConfig } from '../stages/evaluation.js';
import { Interrupted } from './interrupted.js';
import { accuracies, applyToSplit, type ChangeOfView } from './evaluate.js';
import { corruptImages, type StageContext } from './stage-context.js';

export interface FeatureSet {
  /** [length, width], row-major. */
  features: Float32Array;
  labels: Uint32Array;
  width: number;
}

/** The features of one probe. */
export interface ProbeFeatures {
  train: FeatureSet;
  /** The images that it is measured on. */
  test: FeatureSet;
  /** null: nothing is to be chosen. */
  validation: FeatureSet | null;
}

export interface FeatureOptions {
  /** Whether the validation images are read too. */
  choose?: boolean;
  /** Frozen values of a batch of images: [batch, width]. Pooled features by default. */
  read?: (parameters: Parameters, model: EncoderConfig, images: tf.Tensor4D) => tf.Tensor2D;
}

/** Encodes the images that a probe is measured on once more, each of them changed. */
export type EncodeChanged = (change: ChangeOfView) => Promise<FeatureSet>;

type FeaturesConfig = Pick<EvaluationConfig<string, unknown>, 'seed' | 'data' | 'split' | 'model' | 'shots'>;
type FeaturesContext = Pick<StageContext<Dataset<'class'>>, 'dataset' | 'parent'> & { signal?: AbortSignal };

/**
 * Extracts features with the parent's encoder, and keeps the encoder while they are used. Without a parent the encoder has
 * initial weights: their features are the proper baseline of a probe, and score far above chance (PAPER.md §13).
 *
 * @throws TrainingError if there are no validation images to choose on.
 */
export async function withFeatures<Result>(
  { seed, data, split, model, shots }: FeaturesConfig,
  { dataset, parent, signal }: FeaturesContext,
  { choose = false, read = features }: FeatureOptions,
  use: (extracted: ProbeFeatures, encodeChanged: EncodeChanged) => Promise<Result>,
): Promise<Result> {
  if (choose && dataset.validation === undefined) {
    throw new TrainingError(
      'a recipe that lists several values chooses on validation images; set data.validation',
      'invalid',
    );
  }
  const fresh = initialValues(model, { for: 'encoding' }, seed);
  const parameters = toParameters(parent ? transfer(parent, fresh) : fresh);
  const encodeSplit = async (images: Split<number>, change?: ChangeOfView): Promise<FeatureSet> => {
    const encode = (batch: tf.Tensor4D): tf.Tensor2D => {
      // A probe keeps no checkpoint, so there is nothing to wait for.
      if (signal?.aborted) throw new Interrupted('stopped before the probe was done; it begins anew');
      return read(parameters, model, batch);
    };
    const { outputs, targets, width } = await applyToSplit(images, model.imageSize, encode, change);
    return { features: outputs, labels: Uint32Array.from(targets), width };
  };
  try {
    const measured = measuredSplit({ split }, dataset);
    const train = await encodeSplit(labelledSubset(dataset.train, { ...data, shots }, seed));
    const test = await encodeSplit(measured);
    const validation = !choose ? null : split === 'validation' ? test : await encodeSplit(dataset.validation!);
    return await use({ train, test, validation }, (change) => encodeSplit(measured, change));
  } finally {
    disposeParameters(parameters);
  }
}

/** {@link withFeatures}, for a probe that encodes no other images. */
export const extractFeatures = (
  config: FeaturesConfig,
  context: FeaturesContext,
  options: FeatureOptions = {},
): Promise<ProbeFeatures> => withFeatures(config, context, options, (extracted) => Promise.resolve(extracted));

/**
 * Subtracts the training mean of each feature and divides by its standard deviation: a batch norm without parameters,
 * which MAE has before its linear classifier. In place, on all sets.
 *
 * @param width The number of features; those of a set with the tokens of each image are the features of a token.
 * @returns the same for further sets
 */
export function standardize(
  { train, test, validation }: ProbeFeatures,
  width = train.width,
): (set: FeatureSet) => void {
  const count = train.features.length / width;
  const sets = new Set([train, test, ...(validation === null ? [] : [validation])]);
  const [means, inverses] = [new Float64Array(width), new Float64Array(width)];
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += train.features[i * width + j]! / count;
    let variance = 0;
    for (let i = 0; i < count; i++) variance += (train.features[i * width + j]! - mean) ** 2 / count;
    means[j] = mean;
    inverses[j] = 1 / Math.sqrt(variance + 1e-6);
  }
  const apply = ({ features: values }: FeatureSet): void => {
    for (let i = 0; i < values.length; i++) values[i] = (values[i]! - means[i % width]!) * inverses[i % width]!;
  };
  sets.forEach(apply);
  return apply;
}

/** Rows of a feature set as a tensor: [end − begin, width]. */
export function rowsOf(set: FeatureSet, begin: number, end: number): tf.Tensor2D {
  return tf.tensor2d(set.features.subarray(begin * set.width, end * set.width), [end - begin, set.width]);
}

/** Chosen rows of a feature set as a tensor: [indices, width]. */
export function rowsAt({ features: values, width }: FeatureSet, indices: Int32Array): tf.Tensor2D {
  const rows = new Float32Array(indices.length * width);
  indices.forEach((index, i) => {
    rows.set(values.subarray(index * width, (index + 1) * width), i * width);
  });
  return tf.tensor2d(rows, [indices.length, width]);
}

/** The part of any probe's result that follows from its scores [test, classes]. */
export function probed(scores: Float32Array, { train, test }: Pick<ProbeFeatures, 'train' | 'test'>, dataset: Dataset) {
  return {
    imagesPerSecond: null,
    corruptImages: corruptImages(dataset),
    ...accuracies(scores, test.labels, dataset.classes.length),
    testImages: test.labels.length,
    trainImages: train.labels.length,
  };
}
