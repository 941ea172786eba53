/**
 * One whole training step of a work, by the training loop's own function: forward, backward, AdamW. It runs on
 * generated numbers, without a data set or degradations. No value is read back from the device.
 */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../src/common/random.js';
import { initialValues, type Purpose, type Values } from '../src/model/parameters.js';
import { classify, predict } from '../src/model/vit.js';
import { drawKept } from '../src/task/masks/random.js';
import { Repeated, softmaxCrossEntropy, tokenSelection, tokenSquaredError } from '../src/ops/index.js';
import { keptTokens, patchCount, type ModelConfig } from '../src/spec/model.js';
import { trainStep } from '../src/training/loop.js';
import { adamW } from '../src/training/optimizers/adamw.js';
import { freshState, type TrainingState } from '../src/training/state.js';
import type { Work } from './works.js';

type Loss = (images: tf.Tensor4D) => tf.Scalar;

export interface TrainingStep {
  /** Submits the next step. */
  readonly take: () => void;
  /** Sum over all steps so far, on the device. */
  readonly lossSum: tf.Variable;
}

/** Sets up a work. */
export function trainingStep(work: Work, model: ModelConfig, batch: number): TrainingStep {
  const purpose: Purpose =
    work.task === 'pretraining'
      ? { for: 'pretraining', masked: true }
      : { for: 'classification', classes: work.classes };
  const options = { depth: model.depth, layerDecay: 1, weightDecay: 0.05 };
  const optimizers = [adamW({ beta1: 0.9, beta2: 0.95 })];
  const state = freshState(firstValues(model, purpose), { ...options, optimizers });
  const images = noise<tf.Rank.R4>([batch, model.imageSize, model.imageSize, 3]);
  const loss =
    work.task === 'pretraining'
      ? pretraining(state, model, batch, work.maskRatio)
      : classification(state, model, batch, work.classes);
  // The step disposes of its inputs: it gets a clone, so that the images stay.
  const task = { loss, stepsPerEpoch: 1, recipe: {}, tensors: (given: tf.Tensor4D) => [tf.clone(given)] };
  const repeated = new Repeated();
  return {
    lossSum: state.lossSum,
    take: () => {
      trainStep(task, SCHEDULE, state, [images], repeated);
    },
  };
}

/** A constant rate: all steps must be equal. */
const SCHEDULE = {
  baseLearningRate: 1e-4,
  minLearningRate: 1e-4,
  warmupEpochs: 0,
  batchSize: 256,
  epochs: Number.MAX_SAFE_INTEGER,
};

function pretraining({ parameters }: TrainingState, model: ModelConfig, batch: number, maskRatio: number): Loss {
  const tokens = patchCount(model);
  const kept = Array.from({ length: batch }, (_, i) => drawKept(tokens, keptTokens(tokens, maskRatio), stream(0, i)));
  const selection = tokenSelection(kept, tokens);
  const target = noise<tf.Rank.R3>([batch, tokens, 3 * model.patchSize ** 2]);
  return (images) => tokenSquaredError(predict(parameters, model, images, selection), target, selection.removed);
}

function classification({ parameters }: TrainingState, model: ModelConfig, batch: number, classes: number): Loss {
  const rows = new Float32Array(batch * classes);
  for (let image = 0; image < batch; image++) rows[image * classes + (image % classes)] = 1;
  const target = tf.tensor2d(rows, [batch, classes]);
  return (images) => softmaxCrossEntropy(classify(parameters, model, images), target);
}

/** Normal random numbers, one million of them repeated: drawing 40 million would take longer than the measurement. */
function noise<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> {
  const random = stream(0, 'noise');
  const some = Float32Array.from({ length: 2 ** 20 }, () => random.normal(0, 1));
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let start = 0; start < values.length; start += some.length) {
    values.set(some.subarray(0, values.length - start), start);
  }
  return tf.tensor(values, shape);
}

/** Every block is initialised with the values of the first, for the same reason. */
function firstValues(model: ModelConfig, purpose: Purpose): Values {
  const { depth, decoder } = model;
  const shallow = { ...model, depth: 1, decoder: { ...decoder, depth: 1 } };
  const copies = [...initialValues(shallow, purpose, 0)].flatMap(([name, value]) => {
    const [, part, rest] = /^(blocks|decoder_blocks)\.0\.(.*)$/.exec(name) ?? [];
    if (part === undefined || rest === undefined) return [[name, value] as const];
    const blocks = part === 'blocks' ? depth : decoder.depth;
    return Array.from({ length: blocks }, (_, i) => [`${part}.${i}.${rest}`, value] as const);
  });
  return new Map(copies);
}
