/**
 * Frozen features of the labelled training images, of the images on which the probes are measured, and of the
 * validation images if the probes choose on these.
 */
import * as tf from '@tensorflow/tfjs';
import { TrainingError } from '../common/errors.js';
import { labelledSubset, type Dataset, type Split } from '../data/split.js';
import { measuredSplit } from '../data/stage-data.js';
import { disposeParameters, initialValues, toParameters, transfer, type Parameters } from '../model/parameters.js';
import { encodedPatches, features } from '../model/vit.js';
import type { EncoderConfig } from '../spec/model.js';
import type { EvaluationConfig } from '../stages/evaluation.js';
import { Interrupted } from './interrupted.js';
import { accuracies, applyToSplit, type ChangeOfView } from './evaluate.js';
import type { FeatureSet, SetKey } from './shared-features.js';
import { corruptImages, type StageContext } from './stage-context.js';

export type { FeatureSet } from './shared-features.js';

/** The images that a probe is measured on. */
export interface MeasuredFeatures {
  test: FeatureSet;
  /** null: nothing is to be chosen. */
  validation: FeatureSet | null;
}

/** The features of one probe. */
export interface ProbeFeatures extends MeasuredFeatures {
  train: FeatureSet;
}

/** What is read of an encoder, each from a batch of images: [batch, width]. */
const READERS = {
  /** The class token, or the mean of the patch tokens. */
  pooled: features,
  /** All patch tokens, one after the other. */
  tokens: (parameters: Parameters, model: EncoderConfig, images: tf.Tensor4D): tf.Tensor2D =>
    tf.reshape(encodedPatches(parameters, model, images), [images.shape[0], -1]),
} as const;

export interface FeatureOptions {
  /** Whether the validation images are read too. */
  choose?: boolean;
  /** Pooled features by default. */
  read?: keyof typeof READERS;
}

/** A frozen encoder with the images of a probe. */
export interface FrozenEncoder {
  /** The labelled training images. */
  readonly labelled: Split<number>;
  /** Features of a batch of ImageNet-normalised images. */
  readonly encode: (images: tf.Tensor4D) => tf.Tensor2D;
  /** Features of the labelled training images. */
  readonly train: () => Promise<FeatureSet>;
  readonly measured: () => Promise<MeasuredFeatures>;
  /** Features of the images that the probe is measured on, each of them changed. A name stands for one change. */
  readonly changed: (name: string, change: ChangeOfView) => Promise<FeatureSet>;
}

type FeaturesConfig = Pick<
  EvaluationConfig<string, unknown>,
  'seed' | 'data' | 'split' | 'model' | 'shots' | 'weights'
>;
type FeaturesContext = Pick<
  StageContext<Dataset<'class'>>,
  'dataset' | 'parent' | 'device' | 'identity' | 'features'
> & {
  signal?: AbortSignal;
};

/**
 * Opens the parent's encoder. Without a parent the encoder has initial weights: their features are the proper baseline
 * of a probe, and score far above chance (PAPER.md §13).
 *
 * @throws TrainingError if there are no validation images to choose on.
 */
export async function withEncoder<Result>(
  config: FeaturesConfig,
  context: FeaturesContext,
  { choose = false, read = 'pooled' }: FeatureOptions,
  use: (encoder: FrozenEncoder) => Promise<Result>,
): Promise<Result> {
  const { seed, data, split, model, shots } = config;
  const { dataset, parent, signal } = context;
  if (choose && dataset.validation === undefined) {
    throw new TrainingError(
      'a recipe that lists several values chooses on validation images; set data.validation',
      'invalid',
    );
  }
  const fresh = initialValues(model, { for: 'encoding' }, seed);
  const parameters = toParameters(parent ? transfer(parent, fresh) : fresh);
  const encode = (batch: tf.Tensor4D): tf.Tensor2D => {
    // A probe keeps no checkpoint, so there is nothing to wait for.
    if (signal?.aborted) throw new Interrupted('stopped before the probe was done; it begins anew');
    return READERS[read](parameters, model, batch);
  };
  const { labelFraction, ...images } = data;
  const encodeSplit = async (own: Split<number>, key: SetKey, change?: ChangeOfView): Promise<FeatureSet> => {
    const compute = async (): Promise<FeatureSet> => {
      const { outputs, targets, width } = await applyToSplit(own, model.imageSize, encode, change);
      return { features: outputs, labels: Uint32Array.from(targets), width };
    };
    // A result names the damaged files that its stage has read. So the next stage must read them too.
    const isSound = (): boolean => own.corrupt.length + own.damaged.length === 0;
    const whole = { ...key, data: images, fingerprint: dataset.fingerprint, read };
    return context.features?.get(encoderOf(config, context), whole, compute, isSound) ?? compute();
  };
  try {
    const labelled = labelledSubset(dataset.train, { labelFraction, shots }, seed);
    const labels = labelled === dataset.train ? {} : { labelFraction, shots, seed };
    const measured = measuredSplit({ split }, dataset);
    const measuredKey = { split: split ?? 'test' };
    return await use({
      labelled,
      encode,
      train: () => encodeSplit(labelled, { split: 'train', ...labels }),
      async measured() {
        const test = await encodeSplit(measured, measuredKey);
        if (!choose) return { test, validation: null };
        const ofTest = split === 'validation';
        return { test, validation: ofTest ? test : await encodeSplit(dataset.validation!, { split: 'validation' }) };
      },
      changed: (name, change) => encodeSplit(measured, { ...measuredKey, change: name }, change),
    });
  } finally {
    disposeParameters(parameters);
  }
}

/** All that decides the values of an encoder, and how it computes. */
function encoderOf(
  { model, weights, seed }: FeaturesConfig,
  { parent, identity, device }: FeaturesContext,
): Readonly<Record<string, unknown>> {
  return { model, weights, parent: identity.parent, device, ...(parent === null && { seed }) };
}

/** Extracts the features of a probe. */
export const extractFeatures = (
  config: FeaturesConfig,
  context: FeaturesContext,
  options: FeatureOptions = {},
): Promise<ProbeFeatures> =>
  withEncoder(config, context, options, async ({ train, measured }) => ({
    train: await train(),
    ...(await measured()),
  }));

/**
 * Subtracts the mean of each feature and divides by its standard deviation: a batch norm without parameters, which MAE
 * has before its linear classifier. In place.
 *
 * @param width The number of features; those of a set with the tokens of each image are the features of a token.
 * @returns the same for further sets, with the statistics of this one
 */
export function standardize(train: FeatureSet, width = train.width): (set: FeatureSet) => void {
  const count = train.features.length / width;
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
  return apply;
}

/** Rows of a feature set as a tensor: [end − begin, width]. */
export function featureRows(set: FeatureSet, begin: number, end: number): tf.Tensor2D {
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
export function probed(
  scores: Float32Array,
  { test, trainImages }: { test: FeatureSet; trainImages: number },
  dataset: Dataset,
) {
  return {
    imagesPerSecond: null,
    corruptImages: corruptImages(dataset),
    ...accuracies(scores, test.labels, dataset.classes.length),
    testImages: test.labels.length,
    trainImages,
  };
}
