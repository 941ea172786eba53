/** Linear probe: a linear classifier on frozen, standardised features. (PAPER.md §10) */
import { z } from 'zod';
import { count, labelFraction, nonNegative, offAt, oneOrMore, positive, warmup } from '../common/values.js';
import { defineEvaluation, type EvaluationConfig, type ResolvedRecipe, type ResultNumbers } from './evaluation.js';
import { ACCURACY, BASE_LEARNING_RATE, BATCH_SIZE, CHANCE_LOSS, LOSS, sinceRevision2, type Fields } from './fields.js';
import type { ModelArithmetic, StageImages } from './stage.js';

export const linearRecipe = z
  .strictObject({
    epochs: count.default(90).describe('Passes over the frozen features.'),
    batchSize: count.default(256).describe('Features in one optimiser step.'),
    baseLearningRate: oneOrMore(positive)
      .default(0.1)
      .describe(
        'Peak learning rate for a batch of 256. Several are trained in one pass; the one with the best ' +
          'accuracy on the validation images counts.',
      ),
    warmupEpochs: warmup.default(10).describe('Epochs of linear warm-up from 0, or a percentage of epochs.'),
    weightDecay: nonNegative.default(0).describe('Decay of the weights; the bias has none.'),
    optimizer: offAt('sgd', z.enum(['sgd', 'lars'])).describe(
      'sgd with momentum 0.9, or lars as in the linear probe of MAE.',
    ),
    augment: offAt(false, z.boolean()).describe(
      'Train on random crops and mirror images, as MAE does: each epoch encodes the images again, and takes as long as ' +
        'an epoch of feature extraction.',
    ),
    labelFraction,
  })
  .describe('Linear probe: a linear classifier on frozen, standardised features.');

const numbers = {
  loss: { ...LOSS, schema: sinceRevision2(z.number()) },
  chanceLoss: CHANCE_LOSS,
  batchSize: BATCH_SIZE,
  baseLearningRate: BASE_LEARNING_RATE,
} satisfies Fields;

export type LinearConfig = EvaluationConfig<'linear', ResolvedRecipe<typeof linearRecipe>>;
export type LinearNumbers = ResultNumbers<'linear', typeof ACCURACY, typeof numbers>;

/** FLOPs of a linear probe. Images are encoded once; augmented ones in each epoch. */
export const linearFlops = (
  { model, recipe }: Pick<EvaluationConfig<string, ResolvedRecipe<typeof linearRecipe>>, 'model' | 'recipe'>,
  { train, steps, test }: StageImages,
  { encodingCost }: ModelArithmetic,
): number => encodingCost(model) * ((recipe.augment === true ? steps : train) + test);

export const linear = defineEvaluation({
  name: 'linear',
  title: 'linear probe',
  needs: 'class',
  trains: 'a head',
  recipe: linearRecipe,
  choices: ['baseLearningRate'],
  metrics: ACCURACY,
  numbers,
  baseline: { loss: 'loss', level: 'chanceLoss', name: 'equal odds' },
  flops: linearFlops,
  async run(config, context) {
    const { linearProbe } = await import('../training/linear.js');
    return linearProbe(config, context);
  },
});
