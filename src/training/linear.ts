/** Linear probe: a linear classifier on frozen, standardised features, by SGD with momentum. (PAPER.md §10) */
import * as tf from '@tensorflow/tfjs';
import { TrainingError } from '../common/errors.js';
import { stepsPerEpoch, trainingBatches } from '../data/batches.js';
import { toVariable } from '../model/parameters.js';
import { linear, softmaxCrossEntropy } from '../ops/index.js';
import type { StageConfig } from '../spec/stages.js';
import type { StageNumbers } from '../store/records.js';
import { extractFeatures, probed, rowsOf, standardize, type FeatureSet } from './features.js';
import { mixLabels } from './mixing.js';
import { breathe, Interrupted } from './loop.js';
import { learningRateAt } from './schedule.js';
import type { StageContext } from './stage-context.js';

export type LinearConfig = Extract<StageConfig, { kind: 'linear' }>;

const MOMENTUM = 0.9;

/** Extracts features, trains the classifier and scores it on the test set. A probe is short and never resumed midway. */
export async function linearProbe(config: LinearConfig, context: StageContext): Promise<StageNumbers> {
  const begin = performance.now();
  const { recipe } = config;
  const classes = context.dataset.classes.length;
  const { train, test } = await extractFeatures(config, context);
  standardize(train, test);

  const steps = stepsPerEpoch(train.labels.length, recipe.batchSize) * recipe.epochs;
  context.emit({ type: 'started', device: context.device, steps, fromStep: 0 });
  const scores = await fit(config, train, test, classes, context.signal);
  return {
    kind: 'linear',
    epochs: recipe.epochs,
    steps,
    seconds: (performance.now() - begin) / 1000,
    loss: null,
    batchSize: Math.min(recipe.batchSize, train.labels.length),
    chanceLoss: Math.log(classes),
    ...probed(scores, { train, test }, context.dataset),
  };
}

async function fit(
  { recipe, seed }: LinearConfig,
  train: FeatureSet,
  test: FeatureSet,
  classes: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  const schedule = { ...recipe, minLearningRate: 0 };
  const perEpoch = stepsPerEpoch(train.labels.length, recipe.batchSize);
  // Zeros are as good a start as any: the problem is convex.
  const zeros = (shape: number[], trainable: boolean): tf.Variable =>
    toVariable({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) }, trainable);
  const weight = zeros([train.width, classes], true);
  const bias = zeros([classes], true);
  const velocities = [weight, bias].map(({ shape }) => zeros(shape, false));
  try {
    for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      await breathe();
      if (signal.aborted) throw new Interrupted('stopped before the probe was done');
      for (const [step, indices] of trainingBatches(train.labels.length, recipe.batchSize, seed, epoch).entries()) {
        tf.tidy(() => {
          const x = rowsOf(gatherRows(train, indices), 0, indices.length);
          const labels = Array.from(indices, (index) => train.labels[index]!);
          const targets = tf.tensor2d(mixLabels(labels, { kind: 'none' }, { classes, labelSmoothing: 0 }), [
            indices.length,
            classes,
          ]);
          const { grads } = tf.variableGrads(
            () => softmaxCrossEntropy(linear(x, weight, bias), targets),
            [weight, bias],
          );
          const rate = learningRateAt(schedule, epoch * perEpoch + step, perEpoch);
          [weight, bias].forEach((variable, i) => {
            const decay = i === 0 ? recipe.weightDecay : 0;
            const gradient = tf.add(grads[variable.name]!, tf.mul(variable, decay));
            velocities[i]!.assign(tf.add(tf.mul(velocities[i]!, MOMENTUM), gradient));
            variable.assign(tf.sub(variable, tf.mul(velocities[i]!, rate)));
          });
        });
      }
    }
    const scores = tf.tidy(() => linear(rowsOf(test, 0, test.labels.length), weight, bias));
    const values = Float32Array.from(await scores.data());
    scores.dispose();
    if (values.some(Number.isNaN))
      throw new TrainingError('the linear probe diverged; lower linear.baseLearningRate', 'diverged');
    return values;
  } finally {
    tf.dispose([weight, bias, ...velocities]);
  }
}

function gatherRows({ features, labels, width }: FeatureSet, indices: Int32Array): FeatureSet {
  const rows = new Float32Array(indices.length * width);
  indices.forEach((index, i) => {
    rows.set(features.subarray(index * width, (index + 1) * width), i * width);
  });
  return { features: rows, labels, width };
}
