/** Fine-tuning: all weights learn the labels. (PAPER.md §7) */
import { z } from 'zod';
import { augmentationKeys } from '../data/augmentations/index.js';
import { recipe as recipeKeys } from './recipe.js';
import { beta, count, nonNegative, offAt, positive, withoutDefaults } from '../common/values.js';
import { defineEvaluation, type EvaluationConfig, type ResolvedRecipe, type ResultNumbers } from './evaluation.js';
import {
  ACCURACY,
  BATCH_SIZE,
  CHANCE_LOSS,
  FIRST_LOSS,
  LARGEST_GRADIENT_NORM,
  LOSS,
  type Fields,
  type Metrics,
} from './fields.js';
import { MEAN_ERROR, STYLE_ERRORS } from './robustness.js';
import { trainingFlops } from './stage.js';

const keys = recipeKeys(
  { baseLearningRate: 1e-3, minLearningRate: 1e-6, beta2: 0.999 },
  augmentationKeys('finetune', { cropScale: [0.08, 1] }),
);

const own = {
  ...keys,
  dropPath: keys.dropPath.default(0.1).describe('Largest stochastic-depth rate of the encoder.'),
  layerDecay: positive.max(1).default(0.75).describe('Learning-rate factor from each layer to the one below it.'),
  labelSmoothing: z.number().min(0).lt(1).default(0.1).describe('Share of each label spread over all classes.'),
  mixup: nonNegative.default(0.8).describe('Parameter of the Beta distribution of mixup; 0 is off.'),
  cutmix: nonNegative
    .default(1)
    .describe(
      'Parameter of the Beta distribution of cutmix; 0 is off. With mixup, each batch has one of the two, at even odds.',
    ),
  ema: beta
    .optional()
    .describe(
      'Decay of an exponential moving average of the weights, which is evaluated in their place; none when absent.',
    ),
  imageSize: count
    .min(8)
    .optional()
    .describe(
      'Side of the images in pixels, if not data.imageSize. The position table of the encoder is resampled for it.',
    ),
  evaluateEvery: count
    .optional()
    .describe(
      'Epochs between evaluations on the validation images, or on the test set if there are none; the best weights ' +
        'so far are kept. Only the last epoch is evaluated by default.',
    ),
};

const recipe = z
  .strictObject({
    ...own,
    scratchLayerDecay: positive.max(1).default(1).describe('layerDecay if there is no pre-training.'),
    scratch: z
      .strictObject(withoutDefaults(own))
      .optional()
      .describe('Other values of these keys if there is no pre-training.'),
    corruptions: offAt(false, z.boolean()).describe(
      'Also measure the fine-tuned model on the corruptions of ImageNet-C, as robustness measures a linear probe.',
    ),
  })
  .describe('Supervised fine-tuning (PAPER.md §7).');

const scratchKeys = { layerDecay: 'scratchLayerDecay' } as const;

const metrics = {
  ...ACCURACY,
  meanError: {
    ...MEAN_ERROR,
    schema: z.number().nullable().default(null),
    description: `${MEAN_ERROR.description} Empty unless the recipe sets corruptions.`,
  },
  ...STYLE_ERRORS,
} satisfies Metrics;

const numbers = {
  loss: { ...LOSS, schema: z.number() },
  chanceLoss: CHANCE_LOSS,
  firstLoss: FIRST_LOSS,
  largestGradientNorm: LARGEST_GRADIENT_NORM,
  batchSize: BATCH_SIZE,
} satisfies Fields;

/** Mean top-1 error in percent on each corruption over its severities; undefined: not measured. */
const details = { corruptionErrors: { schema: z.record(z.string(), z.number()).optional() } };

export type FinetuneConfig = EvaluationConfig<'finetune', ResolvedRecipe<typeof recipe, typeof scratchKeys>>;
export type FinetuneNumbers = ResultNumbers<'finetune', typeof metrics, typeof numbers, typeof details>;

export const finetune = defineEvaluation({
  name: 'finetune',
  title: 'fine-tuning',
  needs: 'class',
  trains: 'all weights',
  checkpoint: ({ model, recipe: { ema, evaluateEvery } }, classes, { parameterShapes }) => ({
    shapes: parameterShapes(model, { for: 'classification', classes }),
    groups: ema === undefined ? 2 : 3,
    keepsBest: evaluateEvery !== undefined,
  }),
  exports: true,
  recipe,
  scratchKeys,
  metrics,
  numbers,
  details,
  baseline: { loss: 'loss', level: 'chanceLoss', name: 'equal odds' },
  flops: ({ model }, images, { finetuneCost }) => trainingFlops(finetuneCost(model, images.classes), images),
  corruptions: {
    model: 'fine-tuned weights',
    measured: ({ recipe: { corruptions } }) => corruptions === true,
    keyOf: (name) => `corruptionErrors.${name}`,
    optional: { key: 'corruptions', off: false, metrics: ['meanError', ...Object.keys(STYLE_ERRORS)] },
  },
  async run(config, context) {
    const { finetune } = await import('../training/finetune.js');
    return finetune(config, context);
  },
});
