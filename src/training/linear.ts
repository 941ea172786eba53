/** Linear probe: a linear classifier on frozen, standardised features, by SGD with momentum. (PAPER.md §10) */
import * as tf from '@tensorflow/tfjs';
import { TrainingError } from '../common/errors.js';
import { countWork } from '../common/work.js';
import { stepsPerEpoch, trainingBatches } from '../data/batches.js';
import { toVariable } from '../model/parameters.js';
import { linear, softmaxCrossEntropy } from '../ops/index.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { LinearConfig, LinearNumbers } from '../stages/linear.js';
import { imagesPerStep } from './batch-size.js';
import { extractFeatures, probed, rowsOf, standardize, type FeatureSet } from './features.js';
import { mixLabels } from './mixing.js';
import { checkFinish } from './divergence.js';
import { Interrupted } from './interrupted.js';
import { breathe } from './loop.js';
import { learningRateAt } from './schedule.js';

const MOMENTUM = 0.9;

/**
 * Extracts features, trains the classifier and scores it on the test set. A probe is short and never resumed midway.
 */
export async function linearProbe(config: LinearConfig, context: EvaluationContext<'class'>): Promise<LinearNumbers> {
  const begin = performance.now();
  const { recipe } = config;
  const classes = context.dataset.classes.length;
  const { train, test } = await extractFeatures(config, context);
  standardize(train, test);

  const steps = stepsPerEpoch(train.labels.length, recipe.batchSize) * recipe.epochs;
  context.emit({ type: 'started', device: context.device, steps, fromStep: 0 });
  const batchSize = imagesPerStep(recipe.batchSize, train.labels.length, context.emit);
  const { scored, loss } = await fitProbe(config, batchSize, train, classes, context.signal, (score) => score(test));
  return {
    kind: 'linear',
    epochs: recipe.epochs,
    steps,
    seconds: (performance.now() - begin) / 1000,
    loss,
    batchSize,
    chanceLoss: Math.log(classes),
    ...probed(scored, { train, test }, context.dataset),
  };
}

/**
 * Trains a classifier, which can score feature sets while `use` runs.
 *
 * @throws TrainingError if it diverges, Interrupted if the signal is aborted.
 */
export async function fitProbe<Scored>(
  { recipe, seed }: Pick<LinearConfig, 'recipe' | 'seed'>,
  batchSize: number,
  train: FeatureSet,
  classes: number,
  signal: AbortSignal,
  use: (score: (set: FeatureSet) => Promise<Float32Array>) => Promise<Scored>,
): Promise<{ scored: Scored; loss: number }> {
  const schedule = { ...recipe, batchSize, minLearningRate: 0 };
  const perEpoch = stepsPerEpoch(train.labels.length, batchSize);
  // Zeros are a valid start: the problem is convex.
  const zeros = (shape: number[], trainable: boolean): tf.Variable =>
    toVariable({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }, trainable);
  const weight = zeros([train.width, classes], true);
  const bias = zeros([classes], true);
  const velocities = [weight, bias].map(({ shape }) => zeros(shape, false));
  const lossSum = zeros([], false);
  try {
    for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      await breathe();
      countWork();
      if (signal.aborted) throw new Interrupted('stopped before the probe was done; it begins anew');
      for (const [step, indices] of trainingBatches(train.labels.length, batchSize, seed, epoch).entries()) {
        tf.tidy(() => {
          const x = rowsOf(gatherRows(train, indices), 0, indices.length);
          const labels = Array.from(indices, (index) => train.labels[index]!);
          const targets = tf.tensor2d(mixLabels(labels, { kind: 'none' }, { classes, labelSmoothing: 0 }), [
            indices.length,
            classes,
          ]);
          const { value, grads } = tf.variableGrads(
            () => softmaxCrossEntropy(linear(x, weight, bias), targets),
            [weight, bias],
          );
          if (epoch === recipe.epochs - 1) lossSum.assign(tf.add(lossSum, value));
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
    const diverged = (): TrainingError =>
      new TrainingError('the linear probe diverged; lower linear.baseLearningRate', 'diverged');
    const score = async (set: FeatureSet): Promise<Float32Array> => {
      const scores = tf.tidy(() => linear(rowsOf(set, 0, set.labels.length), weight, bias));
      const values = Float32Array.from(await scores.data());
      scores.dispose();
      if (values.some(Number.isNaN)) throw diverged();
      return values;
    };
    const loss = (await lossSum.data())[0]! / perEpoch;
    if (!Number.isFinite(loss)) throw diverged();
    // Weights of zero predict equal odds, which is the loss at the beginning.
    const chance = Math.log(classes);
    checkFinish(loss, { first: chance, baseline: chance });
    return { scored: await use(score), loss };
  } finally {
    tf.dispose([weight, bias, lossSum, ...velocities]);
  }
}

function gatherRows({ features, labels, width }: FeatureSet, indices: Int32Array): FeatureSet {
  const rows = new Float32Array(indices.length * width);
  indices.forEach((index, i) => {
    rows.set(features.subarray(index * width, (index + 1) * width), i * width);
  });
  return { features: rows, labels, width };
}
