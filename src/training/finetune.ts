/** Fine-tuning: the encoder, pre-trained or with initial weights, is trained on the labels. (PAPER.md §7) */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../common/random.js';
import { stepsPerEpoch } from '../data/batches.js';
import { labelledSubset, type Split } from '../data/split.js';
import { measuredSplit, splitOnTheWay } from '../data/stage-data.js';
import { initialValues, parameterShapes, transfer, type Parameters } from '../model/parameters.js';
import { classify, type DropPath } from '../model/vit.js';
import { softmaxCrossEntropy } from '../ops/index.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { FinetuneConfig, FinetuneNumbers } from '../stages/finetune.js';
import { imagesPerStep } from './batch-size.js';
import { drawDropPath, dropPathTensors } from './drop-path.js';
import { corruptionErrors } from './corruption-errors.js';
import { accuracies, applyToSplit, type ChangeOfView } from './evaluate.js';
import { normalizedBatch } from './inputs.js';
import { train } from './loop.js';
import { drawMix, mixLabels } from './mixing.js';
import { adamW } from './optimizers/adamw.js';
import { AVERAGE } from '../weights/names.js';
import { ema } from './optimizers/ema.js';
import { preparedBatches, splitInParts } from './accumulation.js';
import { corruptImages, loopContext, openState } from './stage-context.js';
import { CorruptFileError, streamSafetensors, writeSafetensors } from '../store/safetensors.js';
import {
  checkIdentity,
  disposeState,
  identityMetadata,
  parametersWith,
  toSources,
  type CheckpointIdentity,
} from './state.js';
import { augmentedView, augmenterOf } from './views.js';

/** What an evaluation of the classifier measures. */
interface Measured {
  accuracy: number;
  top5: number | null;
  meanPerClass: number;
  testImages: number;
}

/** One part of a batch, on the device. */
interface Part {
  images: tf.Tensor4D;
  /** [batch, classes] */
  targets: tf.Tensor2D;
  dropPath: DropPath;
}

/**
 * Fine-tunes and evaluates.
 *
 * @throws TrainingError, Interrupted: see {@link train}.
 */
export async function finetune(config: FinetuneConfig, context: EvaluationContext<'class'>): Promise<FinetuneNumbers> {
  const { dataset, parent, emit, device } = context;
  const { model, recipe, seed, data, shots } = config;
  const classes = dataset.classes.length;
  const labelled = labelledSubset(dataset.train, { ...data, shots }, seed);
  const purpose = { for: 'classification', classes } as const;
  const initial = () => {
    const fresh = initialValues(model, purpose, seed);
    return parent ? transfer(parent, fresh) : fresh;
  };
  const { depth } = model;
  const options = {
    depth,
    layerDecay: recipe.layerDecay,
    weightDecay: recipe.weightDecay,
    optimizers: [adamW(recipe), ...(recipe.ema === undefined ? [] : [ema(recipe.ema)])],
  };
  const steps = stepsPerEpoch(labelled.length, recipe.batchSize);
  const shapes = parameterShapes(model, purpose);
  const state = openState(context, { shapes, initial, epochs: recipe.epochs, stepsPerEpoch: steps }, options);
  // These weights are evaluated, and kept if they are the best so far.
  const evaluated = recipe.ema === undefined ? state.parameters : parametersWith(state, AVERAGE);
  try {
    const loop = loopContext(context, state);
    emit({ type: 'started', device, steps: steps * recipe.epochs, fromStep: state.step });

    const epochs = {
      length: labelled.length,
      batchSize: recipe.batchSize,
      seed,
      prepare: preparer(config, classes, labelled, context.cores),
      tensors: tensorsOf,
    };
    const measured = measuredSplit(config, dataset);
    const onTheWay = splitOnTheWay(dataset);
    const evaluate = async (split: Split<number>, change?: ChangeOfView) => {
      const scores = (images: tf.Tensor4D): tf.Tensor2D => classify(evaluated, model, images);
      const { outputs, targets } = await applyToSplit(split, model.imageSize, scores, change);
      return { ...accuracies(outputs, targets, classes), testImages: targets.length };
    };
    const report = (epoch: number, split: Split<number>, { testImages, ...metrics }: Measured): void => {
      const isTest = split === dataset.test;
      // One step may be measured on both splits; the points of one step are one point of the curve.
      const line = isTest ? { ...metrics, testImages } : { validation: { ...metrics, images: testImages } };
      loop.record({ epoch, step: state.step, ...line });
      emit({ type: 'evaluated', epoch, metrics, ...(isTest ? {} : { split: 'validation' }) });
    };
    let last: { epoch: number; values: Measured } | undefined;
    const trained = await train<Part>(
      {
        recipe,
        baseline: Math.log(classes),
        stepsPerEpoch: steps,
        imagesPerStep: imagesPerStep(recipe.batchSize, labelled.length, emit),
        batches: (epoch, fromStep) => preparedBatches(epochs, epoch, fromStep),
        loss: ({ images, targets, dropPath }) =>
          softmaxCrossEntropy(classify(state.parameters, model, images, dropPath), targets),
        tensors: tensorsOf,
        onEpoch(finished) {
          const due = recipe.evaluateEvery !== undefined && finished % recipe.evaluateEvery === 0;
          if (!due && finished < recipe.epochs) return undefined;
          return async () => {
            const isLast = finished === recipe.epochs;
            const before = due && !(isLast && onTheWay === measured) ? await evaluate(onTheWay) : undefined;
            const final = isLast ? await evaluate(measured) : undefined;
            const forBest = before ?? final;
            if (due && forBest !== undefined) await keepBest(context, evaluated, finished, forBest.accuracy);
            if (before !== undefined) report(finished, onTheWay, before);
            if (final === undefined) return;
            last = { epoch: finished, values: final };
            report(finished, measured, final);
          };
        },
      },
      state,
      loop,
    );
    // If the stage was resumed after its last checkpoint, only this is left to do.
    const values = last?.epoch === recipe.epochs ? last.values : await evaluate(measured);
    const corrupted = recipe.corruptions
      ? await corruptionErrors(async (change) => (await evaluate(measured, change)).accuracy, {
          size: model.imageSize,
          ...context,
        })
      : null;
    return {
      kind: 'finetune',
      epochs: recipe.epochs,
      ...trained,
      corruptImages: corruptImages(dataset),
      ...values,
      meanError: corrupted?.meanError ?? null,
      blurError: corrupted?.blurError ?? null,
      greyError: corrupted?.greyError ?? null,
      ...(corrupted === null ? {} : { corruptionErrors: corrupted.errors }),
      trainImages: labelled.decodable,
      chanceLoss: Math.log(classes),
    };
  } finally {
    disposeState(state);
  }
}

/** Saves the weights with the best accuracy so far; of equally good ones, the earlier. */
async function keepBest(
  { identity, about, paths, mayWrite }: Pick<EvaluationContext, 'identity' | 'about' | 'paths' | 'mayWrite'>,
  parameters: Parameters,
  epoch: number,
  accuracy: number,
) {
  const best = bestSoFar(paths.bestCheckpoint, identity);
  if (best !== null && best >= accuracy) return;
  mayWrite();
  const metadata = { ...identityMetadata(identity), epoch: String(epoch), accuracy: String(accuracy), ...about };
  await writeSafetensors(paths.bestCheckpoint, toSources(parameters), metadata);
}

/** The accuracy of the saved best weights; null if there are none, or they are damaged or of another stage. */
function bestSoFar(path: string, identity: CheckpointIdentity): number | null {
  try {
    const header = streamSafetensors(path);
    checkIdentity(path, header, identity);
    return Number(header.metadata.accuracy);
  } catch (error) {
    if (error instanceof CorruptFileError) return null;
    throw error;
  }
}

const tensorsOf = ({ images, targets, dropPath }: Part): tf.Tensor[] => [images, targets, ...dropPathTensors(dropPath)];

/** Augments and mixes batches, and splits them in parts. */
function preparer({ seed, recipe, model }: FinetuneConfig, classes: number, split: Split<number>, cores: number) {
  const augment = augmenterOf({ ...recipe, seed, size: model.imageSize }, cores);
  return async (indices: Int32Array, epoch: number, step: number): Promise<Part[]> => {
    const mix = drawMix(recipe, model.imageSize, stream(seed, 'mix', epoch, step));
    const reading = Array.from(indices, (index) => augmentedView(split, index, epoch, augment));
    const { images, targets: labels } = await normalizedBatch(reading, model.imageSize, mix);
    const targets = mixLabels(labels, mix, { ...recipe, classes });
    const dropPaths = stream(seed, 'drop-path', epoch, step);
    const lengths = splitInParts(indices, recipe.accumulate).map(({ length }) => length);
    let row = 0;
    const parts = lengths.map((length): Part => {
      const part = {
        images: lengths.length === 1 ? images : tf.slice(images, row, length),
        targets: tf.tensor2d(targets.slice(row * classes, (row + length) * classes), [length, classes]),
        dropPath: drawDropPath(recipe.dropPath, model.depth, length, dropPaths),
      };
      row += length;
      return part;
    });
    if (lengths.length > 1) images.dispose();
    return parts;
  };
}
