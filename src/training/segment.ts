/**
 * Semantic segmentation: trains a linear head on patch tokens, and the encoder too if asked, and measures the mean IoU.
 */
import * as tf from '@tensorflow/tfjs';
import { countWork } from '../common/work.js';
import { stream, type Random } from '../common/random.js';
import { evaluationBatches, prefetch, stepsPerEpoch } from '../data/batches.js';
import { randomMaskedView, windowsOf, type MaskedView, type Window } from '../data/mask-view.js';
import { labelledSubset, type Sample, type Split } from '../data/split.js';
import { measuredSplit } from '../data/stage-data.js';
import { IGNORED, type ClassMask } from '../data/target.js';
import {
  disposeParameters,
  initialValues,
  parameterShapes,
  toVariable,
  transfer,
  type Parameters,
  type Values,
} from '../model/parameters.js';
import { segmentTokens, upsamplingMatrix, type HeadMode } from '../model/segment.js';
import { encodedPatches, type DropPath } from '../model/vit.js';
import { pixelCrossEntropy } from '../ops/index.js';
import type { EncoderConfig } from '../spec/model.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { SegmentConfig, SegmentNumbers } from '../stages/segment.js';
import { preparedBatches, splitInParts } from './accumulation.js';
import { imagesPerStep } from './batch-size.js';
import { drawDropPath, dropPathTensors } from './drop-path.js';
import { normalizedBatch } from './inputs.js';
import { train } from './loop.js';
import { ConfusionMatrix } from './mean-iou.js';
import { adamW } from './optimizers/adamw.js';
import { leaveSegmentationPreview, type Segmented } from './segment-preview.js';
import { corruptImages, loopContext, openState } from './stage-context.js';
import { disposeState } from './state.js';

/** One part of a batch, on the device. */
interface Part {
  images: tf.Tensor4D;
  /** [pixels], −1 if a pixel does not count. */
  labels: tf.Tensor1D;
  dropped: tf.Tensor3D | null;
  dropPath: DropPath;
}

const tensorsOf = ({ images, labels, dropped, dropPath }: Part): tf.Tensor[] => [
  images,
  labels,
  ...(dropped === null ? [] : [dropped]),
  ...dropPathTensors(dropPath),
];

/** A model: the encoder, and the scores of each pixel of images. */
export interface Segmenter {
  config: EncoderConfig;
  encoder: Parameters;
  head: Parameters;
  /** See `upsamplingMatrix`. */
  upsampling: tf.Tensor3D;
}

/** The scores of images: [batch, size, size, classes]. */
export function scoresOf(
  { config, encoder, head, upsampling }: Segmenter,
  images: tf.Tensor4D,
  mode: HeadMode,
  dropPath: DropPath = null,
): tf.Tensor4D {
  return segmentTokens(head, encodedPatches(encoder, config, images, dropPath), upsampling, mode);
}

/** The loss of a part in training. */
export function segmentationLoss(
  model: Segmenter,
  { images, labels, dropped, dropPath }: Pick<Part, 'images' | 'labels' | 'dropped' | 'dropPath'>,
): tf.Scalar {
  const scores = scoresOf(model, images, { kind: 'train', dropped }, dropPath);
  return pixelCrossEntropy(tf.reshape<tf.Rank.R2>(scores, [-1, scores.shape[3]]), labels);
}

/**
 * Trains and evaluates.
 *
 * @throws TrainingError, Interrupted: see {@link train}.
 */
export async function segmentation(config: SegmentConfig, context: EvaluationContext<'mask'>): Promise<SegmentNumbers> {
  const { dataset, parent, emit, device } = context;
  const { model, recipe, seed, data, shots } = config;
  const classes = dataset.classes.length;
  const labelled = labelledSubset(dataset.train, { ...data, shots }, seed);
  const purpose = { for: 'segmentation', classes, train: recipe.train } as const;
  const initial = (): Values => {
    const fresh = initialValues(model, purpose, seed);
    return parent && recipe.train === 'all' ? transfer(parent, fresh) : fresh;
  };
  const options = {
    depth: model.depth,
    layerDecay: recipe.layerDecay,
    weightDecay: recipe.weightDecay,
    optimizers: [adamW(recipe)],
  };
  const steps = stepsPerEpoch(labelled.length, recipe.batchSize);
  const shapes = parameterShapes(model, purpose);
  const state = openState(context, { shapes, initial, epochs: recipe.epochs, stepsPerEpoch: steps }, options);
  const frozen = recipe.train === 'head' ? frozenEncoder(model, parent, seed) : null;
  const upsampling = upsamplingMatrix(model.imageSize / model.patchSize, model.imageSize);
  try {
    const segmenter = { config: model, encoder: frozen ?? state.parameters, head: state.parameters, upsampling };
    const loop = loopContext(context, state);
    emit({ type: 'started', device, steps: steps * recipe.epochs, fromStep: state.step });
    const epochs = {
      length: labelled.length,
      batchSize: recipe.batchSize,
      seed,
      prepare: preparer(config, labelled),
      tensors: tensorsOf,
    };
    const trained = await train<Part>(
      {
        recipe,
        baseline: Math.log(classes),
        stepsPerEpoch: steps,
        imagesPerStep: imagesPerStep(recipe.batchSize, labelled.length, emit),
        batches: (epoch, fromStep) => preparedBatches(epochs, epoch, fromStep),
        loss: (part) => segmentationLoss(segmenter, part),
        tensors: tensorsOf,
      },
      state,
      loop,
    );
    const split = measuredSplit(config, dataset);
    const { matrix, images, first } = await measure(segmenter, split, classes);
    const measured = { meanIou: matrix.meanIou() ?? 0, pixelAccuracy: matrix.pixelAccuracy() ?? 0 };
    loop.record({ epoch: recipe.epochs, step: state.step, ...measured });
    emit({ type: 'evaluated', epoch: recipe.epochs, metrics: measured });
    await leaveSegmentationPreview(first, model.imageSize, context);
    return {
      kind: 'segment',
      epochs: recipe.epochs,
      ...trained,
      corruptImages: corruptImages(dataset),
      ...measured,
      classIou: Object.fromEntries(matrix.classIou().map((iou, c) => [dataset.classes[c]!, iou])),
      testImages: images,
      trainImages: labelled.decodable,
      chanceLoss: Math.log(classes),
    };
  } finally {
    disposeState(state);
    if (frozen !== null) disposeParameters(frozen);
    upsampling.dispose();
  }
}

/** The encoder of the pre-training, or an untrained one, as variables that no gradient is computed for. */
function frozenEncoder(model: EncoderConfig, parent: Values | null, seed: number): Parameters {
  const fresh = initialValues(model, { for: 'encoding' }, seed);
  const values = parent ? transfer(parent, fresh) : fresh;
  return new Map([...values].map(([name, value]) => [name, toVariable(value, false)]));
}

/** Draws views of images and masks, and splits batches in parts. */
function preparer({ seed, recipe, model }: SegmentConfig, split: Split<ClassMask>) {
  const { imageSize: size, dim, depth } = model;
  return async (indices: Int32Array, epoch: number, step: number): Promise<Part[]> => {
    const viewOf = async (index: number): Promise<MaskedView> => {
      const { image, target } = await split.sample(index);
      return randomMaskedView(image, target, size, recipe, stream(seed, 'segment', 'augment', epoch, index));
    };
    const reading = Array.from(indices, async (index) => {
      const { view, classes } = await viewOf(index);
      return { view, patches: [], target: classes };
    });
    const { images, targets } = await normalizedBatch(reading, size);
    const draws = stream(seed, 'segment', 'dropout', epoch, step);
    const dropPaths = stream(seed, 'drop-path', epoch, step);
    let row = 0;
    const lengths = splitInParts(indices, recipe.accumulate).map(({ length }) => length);
    const parts = lengths.map((length): Part => {
      const part = {
        images: lengths.length === 1 ? images : tf.slice(images, row, length),
        labels: labelsOf(targets.slice(row, row + length)),
        dropped: drawDropout(recipe.dropout, length, dim, draws),
        dropPath: recipe.train === 'all' ? drawDropPath(recipe.dropPath, depth, length, dropPaths) : null,
      };
      row += length;
      return part;
    });
    if (lengths.length > 1) images.dispose();
    return parts;
  };
}

/** The classes of the pixels of views, one view after the other; −1 for ignored ones. */
function labelsOf(views: readonly Uint8Array[]): tf.Tensor1D {
  const labels = new Int32Array(views.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const view of views) for (const label of view) labels[to++] = label === IGNORED ? -1 : label;
  return tf.tensor1d(labels, 'int32');
}

/** Factors of the channels of each image: 0, or 1 / (1 − rate). null: none is dropped. */
function drawDropout(rate: number, batch: number, dim: number, random: Random): tf.Tensor3D | null {
  if (rate === 0) return null;
  const factors = Float32Array.from({ length: batch * dim }, () => (random.uniform() < rate ? 0 : 1 / (1 - rate)));
  return tf.tensor3d(factors, [batch, 1, dim]);
}

/** Images whose windows are predicted together. */
const BATCH = 16;

/** Windows in a forward pass. */
const MOST_WINDOWS = 32;

/** Predictions that are shown. */
const SHOWN = 3;

/** Predicts every test image that can be decoded, and counts its pixels. */
async function measure(
  model: Segmenter,
  split: Split<ClassMask>,
  classes: number,
): Promise<{ matrix: ConfusionMatrix; images: number; first: Segmented[] }> {
  const matrix = new ConfusionMatrix(classes);
  const first: Segmented[] = [];
  let images = 0;
  const prepare = async (indices: Int32Array): Promise<Sample<ClassMask>[]> => {
    const read = await Promise.all(Array.from(indices, (index) => split.read(index)));
    return read.filter((sample) => sample !== null);
  };
  for await (const samples of prefetch(evaluationBatches(split.length, BATCH), prepare)) {
    const windows = samples.flatMap(({ image, target }) => windowsOf(image, target, model.config.imageSize));
    for (let begin = 0; begin < windows.length; begin += MOST_WINDOWS) {
      const some = windows.slice(begin, begin + MOST_WINDOWS);
      const predicted = await predictWindows(model, some);
      some.forEach((window, i) => {
        count(matrix, window, predicted[i]!);
        if (first.length < SHOWN) first.push({ ...window, predicted: predicted[i]! });
      });
      countWork();
    }
    for (const { image } of samples) image.release?.();
    images += samples.length;
  }
  return { matrix, images, first };
}

/** The class of each pixel of windows. */
async function predictWindows(model: Segmenter, windows: readonly Window[]): Promise<Uint8Array[]> {
  const { imageSize } = model.config;
  const reading = windows.map(({ view }) => Promise.resolve({ view, patches: [], target: null }));
  const { images } = await normalizedBatch(reading, imageSize);
  const best = tf.tidy(() => tf.argMax(scoresOf(model, images, { kind: 'evaluate' }), -1));
  const values = await best.data();
  tf.dispose([images, best]);
  const pixels = imageSize * imageSize;
  return windows.map((_, i) => Uint8Array.from(values.subarray(i * pixels, (i + 1) * pixels)));
}

/** Counts the pixels that belong to a window. */
function count(matrix: ConfusionMatrix, { classes, scored }: Window, predicted: Uint8Array): void {
  const size = Math.sqrt(classes.length);
  const { rows, columns } = scored;
  for (let y = rows[0]; y < rows[1]; y++) {
    for (let x = columns[0]; x < columns[1]; x++) matrix.add(classes[y * size + x]!, predicted[y * size + x]!);
  }
}
