/** Attentive probe: one learned query attends to the frozen patch tokens, and a linear layer classifies the result. */
import { z } from 'zod';
import { count, labelFraction, nonNegative, oneOrMore, positive, warmup } from '../common/values.js';
import {
  defineEvaluation,
  type EvaluationConfig,
  type ImagesUsed,
  type ResolvedRecipe,
  type ResultNumbers,
} from './evaluation.js';
import { ACCURACY, BASE_LEARNING_RATE, BATCH_SIZE, CHANCE_LOSS, LOSS, type Fields } from './fields.js';

const recipe = z
  .strictObject({
    epochs: count.default(90).describe('Passes over the frozen tokens.'),
    batchSize: count.default(256).describe('Images in one optimiser step.'),
    baseLearningRate: oneOrMore(positive)
      .default(1e-3)
      .describe(
        'Peak learning rate for a batch of 256 (AdamW). Several are trained in one pass; the one with the best accuracy on ' +
          'the validation images counts.',
      ),
    warmupEpochs: warmup.default(5).describe('Epochs of linear warm-up from 0, or a percentage of epochs.'),
    weightDecay: nonNegative.default(0.1).describe('Decay of the matrices; the query and the bias have none.'),
    labelFraction,
  })
  .describe('Attentive probe: one learned query attends to the frozen patch tokens, then a linear layer.');

const numbers = {
  loss: { ...LOSS, schema: z.number() },
  chanceLoss: CHANCE_LOSS,
  batchSize: BATCH_SIZE,
  baseLearningRate: BASE_LEARNING_RATE,
} satisfies Fields;

export type AttentiveConfig = EvaluationConfig<'attentive', ResolvedRecipe<typeof recipe>>;
export type AttentiveNumbers = ResultNumbers<'attentive', typeof ACCURACY, typeof numbers>;

/** The tokens of all training images are in memory. The other images are encoded when they are scored. */
const MOST_BYTES = 8 * 2 ** 30;

/** Why the tokens of so many training images are too many, with the remedy; null: they are not. */
function tokensProblem({ name, trainImages, model }: ImagesUsed): string | null {
  const ofImage = 4 * (model.imageSize / model.patchSize) ** 2 * model.dim;
  const bytes = trainImages * ofImage;
  if (bytes <= MOST_BYTES) return null;
  const [needed, most] = [bytes, MOST_BYTES].map((each) => (each / 2 ** 30).toFixed(1));
  return (
    `${name} keeps the tokens of its training images in memory: ${trainImages} images take ${needed} GiB, and it may use ` +
    `${most} GiB; choose fewer labels (labelFraction or shots: at most ${Math.floor(MOST_BYTES / ofImage)} images), larger ` +
    'patches or smaller images'
  );
}

export const attentive = defineEvaluation({
  name: 'attentive',
  title: 'attentive probe',
  needs: 'class',
  trains: 'a head',
  recipe,
  choices: ['baseLearningRate'],
  problemOf: tokensProblem,
  metrics: ACCURACY,
  numbers,
  baseline: { loss: 'loss', level: 'chanceLoss', name: 'equal odds' },
  flops: ({ model }, { train, test }, { encodingCost }) => encodingCost(model) * (train + test),
  async run(config, context) {
    const { attentiveProbe } = await import('../training/attentive.js');
    return attentiveProbe(config, context);
  },
});
