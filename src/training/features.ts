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
import { accuracies, outputsOf, type ChangeOfView, type Outputs } from './evaluate.js';
import type { FeatureParts, FeatureSet, SetKey } from './shared-features.js';
import { corruptImages, type StageContext } from './stage-context.js';

export type { FeatureParts, FeatureSet } from './shared-features.js';

/** The features of a split, part by part. Each call computes them, unless they are kept. */
export type ReadFeatures = () => FeatureParts;

/** The images that a probe is measured on. */
export interface MeasuredFeatures {
  test: ReadFeatures;
  /** The same function as `test` where the probe is measured on these images; null: nothing is to be chosen. */
  validation: ReadFeatures | null;
}

/** The features of one probe, whole. */
export interface ProbeFeatures {
  train: FeatureSet;
  test: FeatureSet;
  /** null: nothing is to be chosen. */
  validation: FeatureSet | null;
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
  readonly measured: MeasuredFeatures;
  /** Features of the images that the probe is measured on, each of them changed. A name stands for one change. */
  readonly changed: (name: string, change: ChangeOfView) => FeatureParts;
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
  const encodeSplit = (own: Split<number>, key: SetKey, change?: ChangeOfView): FeatureParts => {
    const compute = (): FeatureParts => inParts(outputsOf(own, model.imageSize, encode, change), own.length);
    // A result names the damaged files that its stage has read. So the next stage must read them too.
    const isSound = (): boolean => own.corrupt.length + own.damaged.length === 0;
    const whole = { ...key, data: images, fingerprint: dataset.fingerprint, read };
    return context.features?.parts(encoderOf(config, context), whole, compute, isSound) ?? compute();
  };
  try {
    const labelled = labelledSubset(dataset.train, { labelFraction, shots }, seed);
    const labels = labelled === dataset.train ? {} : { labelFraction, shots, seed };
    const measured = measuredSplit({ split }, dataset);
    const measuredKey = { split: split ?? 'test' };
    const test: ReadFeatures = () => encodeSplit(measured, measuredKey);
    const validation: ReadFeatures =
      split === 'validation' ? test : () => encodeSplit(dataset.validation!, { split: 'validation' });
    return await use({
      labelled,
      encode,
      train: () => wholeOf(encodeSplit(labelled, { split: 'train', ...labels }), labelled.length),
      measured: { test, validation: choose ? validation : null },
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

/** Values of a part at most: 64 MiB. */
const PART_VALUES = 2 ** 24;

/**
 * The outputs of an encoder in parts of equal numbers of images; the last one may be shorter.
 *
 * @param images At least as many as there are.
 * @param mostValues The most values of a part, which has at least one image.
 */
export async function* inParts(
  outputs: AsyncIterable<Outputs<number>>,
  images: number,
  mostValues = PART_VALUES,
): AsyncGenerator<FeatureSet, void> {
  let part: FeatureSet | null = null;
  let filled = 0;
  for await (const { values, targets } of outputs) {
    const width = values.length / targets.length;
    const rows = Math.min(images, Math.max(1, Math.floor(mostValues / width)));
    for (let from = 0; from < targets.length;) {
      part ??= { features: new Float32Array(rows * width), labels: new Uint32Array(rows), width };
      const to = Math.min(targets.length, from + rows - filled);
      part.features.set(values.subarray(from * width, to * width), filled * width);
      part.labels.set(targets.slice(from, to), filled);
      filled += to - from;
      from = to;
      if (filled < rows) continue;
      yield part;
      [part, filled] = [null, 0];
    }
  }
  if (part !== null) yield firstOf(part, filled);
}

/** Joins parts. Only the whole set and one part are in memory at a time. */
async function wholeOf(parts: FeatureParts, images: number): Promise<FeatureSet> {
  let whole: FeatureSet | null = null;
  let filled = 0;
  for await (const { features: values, labels, width } of parts) {
    whole ??= { features: new Float32Array(images * width), labels: new Uint32Array(images), width };
    whole.features.set(values, filled * width);
    whole.labels.set(labels, filled);
    filled += labels.length;
  }
  return firstOf(whole ?? { features: new Float32Array(), labels: new Uint32Array(), width: 0 }, filled);
}

const firstOf = ({ features: values, labels, width }: FeatureSet, images: number): FeatureSet => ({
  features: values.subarray(0, images * width),
  labels: labels.subarray(0, images),
  width,
});

/** Extracts the features of a probe that needs all of them at once. */
export const extractFeatures = (
  config: FeaturesConfig,
  context: FeaturesContext,
  options: FeatureOptions = {},
): Promise<ProbeFeatures> =>
  withEncoder(config, context, options, async ({ train, measured: { test, validation } }) => {
    const [trained, tested] = [await train(), await wholeOf(test(), measuredSplit(config, context.dataset).length)];
    const chosen = async (read: ReadFeatures): Promise<FeatureSet> =>
      read === test ? tested : wholeOf(read(), context.dataset.validation!.length);
    return { train: trained, test: tested, validation: validation === null ? null : await chosen(validation) };
  });

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

/** Images with the scores of a head for them: [images, classes]. */
export interface ScoredImages {
  scores: Float32Array;
  labels: Uint32Array;
}

/** The part of any probe's result that follows from the scores of the test images. */
export function probed({ scores, labels }: ScoredImages, trainImages: number, dataset: Dataset) {
  return {
    imagesPerSecond: null,
    corruptImages: corruptImages(dataset),
    ...accuracies(scores, labels, dataset.classes.length),
    testImages: labels.length,
    trainImages,
  };
}
