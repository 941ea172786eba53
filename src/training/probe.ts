/** The common course of the probes that train a head: train all candidates, choose one, and score it. */
import { TrainingError } from '../common/errors.js';
import { stepsPerEpoch } from '../data/batches.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { Evaluation } from '../stages/index.js';
import { imagesPerStep } from './batch-size.js';
import { checkFinish } from './divergence.js';
import { probed, type FeatureSet, type ProbeFeatures } from './features.js';
import { chooseHead, disposeHeads, divergedMessage, scoresOf, trainHeads, type HeadTraining } from './heads.js';

export interface ProbeOptions extends Omit<HeadTraining, 'classes' | 'signal'> {
  /** The evaluation, for messages. */
  name: Evaluation;
  /** Measures the chosen head on further features. */
  measure?: (score: (set: FeatureSet) => Promise<Float32Array>) => Promise<void>;
}

/** Trains the candidates on the features, and scores the best of them on the images that are measured. */
export async function probe(
  features: ProbeFeatures,
  { dataset, device, emit, signal }: Pick<EvaluationContext<'class'>, 'dataset' | 'device' | 'emit' | 'signal'>,
  { name, measure, ...options }: ProbeOptions,
) {
  const { recipe } = options;
  const classes = dataset.classes.length;
  const images = features.train.labels.length;
  const steps = stepsPerEpoch(images, recipe.batchSize) * recipe.epochs;
  emit({ type: 'started', device, steps, fromStep: 0 });
  const batchSize = imagesPerStep(recipe.batchSize, images, emit);
  const candidates = await trainHeads(features.train, {
    ...options,
    recipe: { ...recipe, batchSize },
    classes,
    signal,
  });
  try {
    const { head, loss, rate } = await chooseHead(candidates, features.validation, { name, classes });
    const scores = await scoresOf(head, features.test);
    if (scores.some(Number.isNaN)) {
      throw new TrainingError(divergedMessage(name), 'diverged');
    }
    // Weights of zero predict equal odds, which is the loss at the beginning.
    const chance = Math.log(classes);
    checkFinish(loss, { first: chance, baseline: chance });
    await measure?.((set) => scoresOf(head, set));
    return {
      epochs: recipe.epochs,
      steps,
      loss,
      batchSize,
      baseLearningRate: rate,
      chanceLoss: chance,
      ...probed(scores, features, dataset),
    };
  } finally {
    disposeHeads(candidates);
  }
}
