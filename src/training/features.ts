/** Frozen features of the labelled training images and of the images on which the probes are measured. */
import * as tf from '@tensorflow/tfjs';
import type { ByteImage, FloatImage } from '../common/image.js';
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

/** Changes a view before it is encoded, by the index of its image in the split. */
export type ChangeOfView = (image: FloatImage, index: number) => Promise<ByteImage>;

/** The labelled training images and the images on which a probe is measured, with the encoder for both. */
export interface Encoded {
  train: FeatureSet;
  test: FeatureSet;
  /** Encodes the images on which the probe is measured once more, each of them changed. */
  encodeChanged: (change: ChangeOfView) => Promise<FeatureSet>;
}

type FeaturesConfig = Pick<EvaluationConfig<string, unknown>, 'seed' | 'data' | 'split' | 'model' | 'shots'>;
type FeaturesContext = Pick<StageContext<Dataset<'class'>>, 'dataset' | 'parent'> & { signal?: AbortSignal };

/**
 * Extracts features with the parent's encoder, and keeps it while they are used. Without a parent the encoder has initial
 * weights: their features are the proper baseline of a probe, and score far above chance (PAPER.md §13).
 */
export async function withFeatures<Result>(
  { seed, data, split, model, shots }: FeaturesConfig,
  { dataset, parent, signal }: FeaturesContext,
  use: (encoded: Encoded) => Promise<Result>,
): Promise<Result> {
  const fresh = initialValues(model, { for: 'encoding' }, seed);
  const parameters = toParameters(parent ? transfer(parent, fresh) : fresh);
  const encodeSplit = async (images: Split<number>, change?: ChangeOfView): Promise<FeatureSet> => {
    const encode = (batch: tf.Tensor4D): tf.Tensor2D => {
      // A probe keeps no checkpoint, so there is nothing to wait for.
      if (signal?.aborted) throw new Interrupted('stopped before the probe was done; it begins anew');
      return features(parameters, model, batch);
    };
    const { outputs, targets, width } = await applyToSplit(images, model.imageSize, encode, change);
    return { features: outputs, labels: Uint32Array.from(targets), width };
  };
  try {
    const measured = measuredSplit({ split }, dataset);
    const train = await encodeSplit(labelledSubset(dataset.train, { ...data, shots }, seed));
    const test = await encodeSplit(measured);
    return await use({ train, test, encodeChanged: (change) => encodeSplit(measured, change) });
  } finally {
    disposeParameters(parameters);
  }
}

/** {@link withFeatures}, for a probe that uses no other images. */
export const extractFeatures = (
  config: FeaturesConfig,
  context: FeaturesContext,
): Promise<{ train: FeatureSet; test: FeatureSet }> =>
  withFeatures(config, context, ({ train, test }) => Promise.resolve({ train, test }));

/**
 * Subtracts the training mean of each feature and divides by its standard deviation: a batch norm without parameters,
 * which MAE has before its linear classifier. In place, on both sets.
 *
 * @returns the same for further sets
 */
export function standardize(train: FeatureSet, test: FeatureSet): (set: FeatureSet) => void {
  const { width } = train;
  const count = train.labels.length;
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
  apply(train);
  apply(test);
  return apply;
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
