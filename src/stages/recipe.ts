/** The keys that pre-training and fine-tuning share: the length and the rates of the training of all weights. */
import { z } from 'zod';
import { beta, count, nonNegative, positive, warmup } from '../common/values.js';

/** Defaults that differ between stages. */
export interface RecipeDefaults {
  baseLearningRate: number;
  minLearningRate: number;
  beta2: number;
}

/**
 * The keys of a recipe. `dropPath` has no default yet.
 *
 * @param augmentation The keys of the steps of augmentation that it has.
 */
export const recipe = <Augmentation extends object>(defaults: RecipeDefaults, augmentation: Augmentation) => ({
  epochs: count.default(20).describe('Passes over the training images.'),
  batchSize: count.default(128).describe('Images in one optimiser step.'),
  accumulate: count.default(1).describe('Split each batch in this many parts to save memory; the step stays the same.'),
  baseLearningRate: positive
    .default(defaults.baseLearningRate)
    .describe('Peak learning rate for a batch of 256; the peak used is this × the images in a step / 256.'),
  minLearningRate: nonNegative.default(defaults.minLearningRate).describe('The rate at the end of the cosine decay.'),
  warmupEpochs: warmup
    .default(2)
    .describe('Epochs of linear warm-up from 0, as a number or as a percentage of epochs (5%).'),
  weightDecay: nonNegative.default(0.05).describe('Decoupled decay of matrices; biases, norms and tokens have none.'),
  beta1: beta.default(0.9).describe('Decay of the running mean of the gradient.'),
  beta2: beta.default(defaults.beta2).describe('Decay of the running mean of its square.'),
  clipGradient: positive.optional().describe('Largest global L2 norm of the gradient; not clipped when absent.'),
  dropPath: z.number().min(0).lt(1),
  ...augmentation,
});
