/** The common course of the probes that train a head: train all candidates, choose one, and score it. */
import { TrainingError } from '../common/errors.js';
import { stepsPerEpoch } from '../data/batches.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { Evaluation } from '../stages/index.js';
import { imagesPerStep } from './batch-size.js';
import { checkFinish } from './divergence.js';
import { probed, type FeatureParts, type MeasuredFeatures, type ScoredImages } from './features.js';
import {
  chooseHead,
  disposeHeads,
  divergedMessage,
  scoreParts,
  trainHeads,
  type Head,
  type HeadTraining,
} from './heads.js';
import type { TrainingFeatures } from './training-features.js';

export interface ProbeOptions extends Omit<HeadTraining, 'classes' | 'signal' | 'onEpoch'> {
  /** The evaluation, for messages. */
  name: Evaluation;
  /** Whether each epoch is reported as progress: it takes long enough. */
  reportsEpochs?: boolean;
  /** Measures the chosen head on further features, which it standardises. */
  measure?: (score: (parts: FeatureParts) => Promise<ScoredImages>) => Promise<void>;
}

/** The features of a probe. Those of the images that are measured are not standardised. */
export interface ProbedFeatures extends MeasuredFeatures {
  train: TrainingFeatures;
}

/**
 * Trains the candidates on the features, and scores the best of them on the images that are measured. Features of the
 * latter are in memory a part at a time.
 */
export async function probe(
  { train, test, validation }: ProbedFeatures,
  { dataset, device, emit, signal }: Pick<EvaluationContext<'class'>, 'dataset' | 'device' | 'emit' | 'signal'>,
  { name, measure, reportsEpochs = false, ...options }: ProbeOptions,
) {
  const { recipe } = options;
  const classes = dataset.classes.length;
  const images = train.length;
  const steps = stepsPerEpoch(images, recipe.batchSize) * recipe.epochs;
  emit({ type: 'started', device, steps, fromStep: 0 });
  const batchSize = imagesPerStep(recipe.batchSize, images, emit);
  const begin = performance.now();
  const candidates = await trainHeads(train, {
    ...options,
    ...(reportsEpochs && {
      onEpoch: (epoch: number, loss: number) => {
        const step = (steps / recipe.epochs) * epoch;
        const imagesPerSecond = (1000 * step * batchSize) / (performance.now() - begin);
        emit({ type: 'progress', epoch: epoch - 1, step, steps, loss, imagesPerSecond });
      },
    }),
    recipe: { ...recipe, batchSize },
    classes,
    signal,
  });
  try {
    const standardize = train.standardize.bind(train);
    const choose =
      validation === null ? null : (heads: readonly Head[]) => scoreParts(heads, validation(), standardize);
    const { head, loss, rate, validated } = await chooseHead(candidates, choose, { name, classes });
    const score = async (parts: FeatureParts): Promise<ScoredImages> => {
      const { scores, labels } = await scoreParts([head], parts, standardize);
      return { scores: scores[0]!, labels };
    };
    const measured = validation === test && validated !== null ? validated : await score(test());
    if (measured.scores.some(Number.isNaN)) {
      throw new TrainingError(divergedMessage(name), 'diverged');
    }
    // Weights of zero predict equal odds, which is the loss at the beginning.
    const chance = Math.log(classes);
    checkFinish(loss, { first: chance, baseline: chance });
    await measure?.(score);
    return {
      epochs: recipe.epochs,
      steps,
      loss,
      batchSize,
      baseLearningRate: rate,
      chanceLoss: chance,
      ...probed(measured, train.decodable, dataset),
    };
  } finally {
    disposeHeads(candidates);
  }
}
