/**
 * Heads: classifiers on frozen features. Several candidates, one for each learning rate, are trained in one pass on the same
 * batches, and the one with the best validation accuracy is used.
 */
import * as tf from '@tensorflow/tfjs';
import { TrainingError } from '../common/errors.js';
import { countWork } from '../common/work.js';
import { stepsPerEpoch, trainingBatches } from '../data/batches.js';
import { zeroVariable } from '../model/parameters.js';
import { softmaxCrossEntropy } from '../ops/index.js';
import { STAGE_ENTRIES, type Evaluation } from '../stages/index.js';
import { accuracies, joinArrays } from './evaluate.js';
import { featureRows, type FeatureParts, type FeatureSet, type ScoredImages } from './features.js';
import { Interrupted } from './interrupted.js';
import { breathe } from './loop.js';
import { mixLabels } from './mixing.js';
import type { Optimizer, TrainedParameter } from './optimizers/optimizer.js';
import { learningRateAt } from './schedule.js';
import type { TrainingFeatures } from './training-features.js';

/** A classifier of frozen features. */
export interface Head {
  readonly parameters: readonly HeadParameter[];
  /** [batch, width of the features] → [batch, classes] */
  scores(features: tf.Tensor2D): tf.Tensor2D;
}

export interface HeadParameter {
  readonly name: string;
  readonly value: tf.Variable;
  /** Whether the recipe's weight decay applies. */
  readonly decays: boolean;
}

export interface HeadRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly warmupEpochs: number;
  readonly weightDecay: number;
}

export interface HeadTraining {
  /** `batchSize` is the number of images in a step. */
  readonly recipe: HeadRecipe;
  /** The peak learning rate of each candidate, for a batch of 256. */
  readonly rates: readonly number[];
  readonly classes: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly makeHead: () => Head;
  readonly makeOptimizer: () => Optimizer;
  /** Called after each epoch, with the number of finished ones and the mean loss of the first candidate. */
  readonly onEpoch?: (epoch: number, loss: number) => void;
}

/** A trained candidate. */
export interface TrainedHead {
  readonly rate: number;
  readonly head: Head;
  /** Mean training loss of the last epoch. */
  readonly loss: number;
}

interface Trainee {
  rate: number;
  head: Head;
  optimizer: Optimizer;
  trained: TrainedParameter[];
  /** Of the steps of an epoch. */
  lossSum: tf.Variable;
}

/**
 * Trains the candidates. A probe is short and never resumed midway.
 *
 * @returns The candidates in the order of their rates; to be disposed of with {@link disposeHeads}.
 * @throws Interrupted if it received a stop signal.
 */
export async function trainHeads(train: TrainingFeatures, training: HeadTraining): Promise<TrainedHead[]> {
  const { recipe, rates, classes, seed, signal } = training;
  const { batchSize } = recipe;
  const perEpoch = stepsPerEpoch(train.length, batchSize);
  const trainees = rates.map((rate) => traineeOf(rate, training));
  const checkStop = (): void => {
    if (signal.aborted) throw new Interrupted('stopped before the probe was done; it begins anew');
  };
  let done = false;
  try {
    for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      await breathe();
      countWork();
      for (const [step, indices] of trainingBatches(train.length, batchSize, seed, epoch).entries()) {
        checkStop();
        const { features, labels } = await train.batch(indices, epoch);
        tf.tidy(() => {
          const targets = tf.tensor2d(mixLabels(Array.from(labels), { kind: 'none' }, { classes, labelSmoothing: 0 }), [
            indices.length,
            classes,
          ]);
          for (const { rate, head, optimizer, trained, lossSum } of trainees) {
            const variables = trained.map(({ value }) => value);
            const { value, grads } = tf.variableGrads(
              () => softmaxCrossEntropy(head.scores(features), targets),
              variables,
            );
            lossSum.assign(step === 0 ? value : tf.add(lossSum, value));
            const schedule = { ...recipe, baseLearningRate: rate, minLearningRate: 0 };
            const learningRate = learningRateAt(schedule, epoch * perEpoch + step, perEpoch);
            const gradients = variables.map(({ name }) => grads[name]!);
            const rated = { learningRate, step: epoch * perEpoch + step + 1 };
            optimizer.update(trained, gradients, rated, optimizer.inputs(rated));
          }
        });
        features.dispose();
      }
      if (training.onEpoch) training.onEpoch(epoch + 1, (await trainees[0]!.lossSum.data())[0]! / perEpoch);
    }
    const losses = await Promise.all(trainees.map(async ({ lossSum }) => (await lossSum.data())[0]! / perEpoch));
    done = true;
    return trainees.map(({ rate, head }, i) => ({ rate, head, loss: losses[i]! }));
  } finally {
    for (const { lossSum, optimizer, trained } of trainees) {
      lossSum.dispose();
      for (const { name } of optimizer.groups) tf.dispose(trained.map(({ state }) => state(name)));
    }
    if (!done) disposeHeads(trainees);
  }
}

function traineeOf(rate: number, { recipe, makeHead, makeOptimizer }: HeadTraining): Trainee {
  const head = makeHead();
  const optimizer = makeOptimizer();
  const trained = head.parameters.map(({ name, value, decays }): TrainedParameter => {
    const groups = new Map(optimizer.groups.map((group) => [group.name, zeroVariable(value.shape, false)]));
    const state = (group: string): tf.Variable => groups.get(group)!;
    return { name, value, rateScale: 1, weightDecay: decays ? recipe.weightDecay : 0, state };
  });
  return { rate, head, optimizer, trained, lossSum: zeroVariable([], false) };
}

export function disposeHeads(heads: readonly { readonly head: Head }[]): void {
  tf.dispose(heads.flatMap(({ head }) => head.parameters.map(({ value }) => value)));
}

/** Images with the scores of heads for them. */
export interface Scored {
  /** Of each head: [images, classes], row-major. */
  scores: readonly Float32Array[];
  labels: Uint32Array;
}

/** A chosen candidate, with the scores by which it was chosen. */
export interface Chosen extends TrainedHead {
  /** null: there was no choice. */
  validated: ScoredImages | null;
}

/**
 * The candidate with the highest accuracy on the validation images; of equally good ones, the first. Candidates that
 * diverged are left out.
 *
 * @param score Scores heads on the validation images; null: there is only one candidate.
 * @throws TrainingError if all candidates diverged.
 */
export async function chooseHead(
  candidates: readonly TrainedHead[],
  score: ((heads: readonly Head[]) => Promise<Scored>) | null,
  { name, classes }: { name: Evaluation; classes: number },
): Promise<Chosen> {
  const finite = candidates.filter(({ loss }) => Number.isFinite(loss));
  if (finite.length === 0) throw new TrainingError(divergedMessage(name), 'diverged');
  if (score === null) return { ...finite[0]!, validated: null };
  const { scores, labels } = await score(finite.map(({ head }) => head));
  const results = scores.map((own) => accuracies(own, labels, classes).accuracy);
  const best = results.reduce((first, result, i) => (result > results[first]! ? i : first), 0);
  return { ...finite[best]!, validated: { scores: scores[best]!, labels } };
}

export const divergedMessage = (name: Evaluation): string =>
  `the ${STAGE_ENTRIES[name].title} diverged; lower ${name}.baseLearningRate`;

/**
 * Scores every image by every head.
 *
 * @param standardize Applied to each part before it is scored, in place.
 */
export async function scoreParts(
  heads: readonly Head[],
  parts: FeatureParts,
  standardize: (part: FeatureSet) => void,
): Promise<Scored> {
  const scores: Float32Array[][] = heads.map(() => []);
  const labels: Uint32Array[] = [];
  for await (const part of parts) {
    standardize(part);
    labels.push(part.labels);
    for (const [i, head] of heads.entries()) scores[i]!.push(await scoresOf(head, part));
  }
  return { scores: scores.map(joinArrays), labels: Uint32Array.from(labels.flatMap((part) => [...part])) };
}

/** Scores of every image of a part: [images, classes], row-major. */
export async function scoresOf(head: Head, part: FeatureSet): Promise<Float32Array> {
  const scores = tf.tidy(() => head.scores(featureRows(part, 0, part.labels.length)));
  const values = Float32Array.from(await scores.data());
  scores.dispose();
  countWork();
  return values;
}
