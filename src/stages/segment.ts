/** Semantic segmentation: a linear layer on the patch tokens, of a frozen encoder or trained together with it. */
import { z } from 'zod';
import { augmentationKeys } from '../data/augmentations/index.js';
import { recipe as recipeKeys } from './recipe.js';
import { labelFraction, positive } from '../common/values.js';
import { defineEvaluation, type EvaluationConfig, type ResolvedRecipe, type ResultNumbers } from './evaluation.js';
import {
  BATCH_SIZE,
  CHANCE_LOSS,
  FIRST_LOSS,
  LARGEST_GRADIENT_NORM,
  LOSS,
  PERCENT,
  type Fields,
  type Metrics,
} from './fields.js';
import { trainingFlops } from './stage.js';

const keys = recipeKeys(
  { baseLearningRate: 1.6e-2, minLearningRate: 0, beta2: 0.999 },
  augmentationKeys('finetune', { cropScale: [0.25, 1] }),
);

const recipe = z
  .strictObject({
    train: z.enum(['head', 'all']).default('head').describe('Train the head on frozen tokens, or the encoder too.'),
    epochs: keys.epochs,
    batchSize: keys.batchSize.default(16),
    accumulate: keys.accumulate,
    baseLearningRate: keys.baseLearningRate,
    minLearningRate: keys.minLearningRate,
    warmupEpochs: keys.warmupEpochs.default(1),
    weightDecay: keys.weightDecay.default(1e-3),
    beta1: keys.beta1,
    beta2: keys.beta2,
    clipGradient: keys.clipGradient,
    dropout: z.number().min(0).lt(1).default(0.1).describe('Rate at which channels of the tokens are dropped.'),
    dropPath: keys.dropPath.default(0).describe('Largest stochastic-depth rate of an encoder that is trained.'),
    layerDecay: positive.max(1).default(0.75).describe('Learning-rate factor from each layer to the one below it.'),
    scratchLayerDecay: positive.max(1).default(1).describe('layerDecay if there is no pre-training.'),
    cropScale: keys.cropScale.describe('Area range of the random resized crop of image and mask.'),
    flip: keys.flip.describe('Mirror half of the images, with their masks, left to right.'),
    labelFraction,
  })
  .describe('Semantic segmentation: a linear layer on the patch tokens.');

const scratchKeys = { layerDecay: 'scratchLayerDecay' } as const;

const metrics = {
  meanIou: {
    schema: z.number(),
    label: 'mean IoU',
    title: 'Mean IoU',
    name: 'mean IoU',
    description: 'Intersection over union, averaged over the classes in the masks or predictions of the test set.',
    unit: PERCENT,
    digits: 2,
    better: 'higher',
    tag: 'segmentation/mean-iou',
  },
  pixelAccuracy: {
    schema: z.number(),
    label: 'pixel accuracy',
    title: 'Pixel accuracy',
    name: 'pixel accuracy',
    description: 'Share of the pixels with a class that are predicted right.',
    unit: PERCENT,
    digits: 2,
    better: 'higher',
    tag: 'segmentation/pixel-accuracy',
  },
} satisfies Metrics;

const numbers = {
  loss: { ...LOSS, schema: z.number() },
  chanceLoss: CHANCE_LOSS,
  firstLoss: FIRST_LOSS,
  largestGradientNorm: LARGEST_GRADIENT_NORM,
  batchSize: BATCH_SIZE,
} satisfies Fields;

/** Intersection over union of each class by name, in percent; null: neither in the masks nor predicted. */
const details = { classIou: { schema: z.record(z.string(), z.number().nullable()) } };

export type SegmentConfig = EvaluationConfig<'segment', ResolvedRecipe<typeof recipe, typeof scratchKeys>>;
export type SegmentNumbers = ResultNumbers<'segment', typeof metrics, typeof numbers, typeof details>;

export const segment = defineEvaluation({
  name: 'segment',
  title: 'segmentation',
  needs: 'mask',
  // A checkpoint is left; with `train: head`, it has the weights of the head.
  trains: 'all weights',
  checkpoint: ({ model, recipe: { train } }, classes, { parameterShapes }) => ({
    shapes: parameterShapes(model, { for: 'segmentation', classes, train }),
    groups: 2,
  }),
  exports: false,
  recipe,
  scratchKeys,
  metrics,
  numbers,
  details,
  segmentation: { meanIou: 'meanIou', pixelAccuracy: 'pixelAccuracy', classIou: 'classIou' },
  baseline: { loss: 'loss', level: 'chanceLoss', name: 'equal odds' },
  flops: ({ model, recipe: { train } }, images, { segmentationCost }) =>
    trainingFlops(segmentationCost(model, images.classes, train), images),
  picture: {
    title: 'Segmentations',
    description:
      'Test images, their masks and the predictions, one image a row. Each class has a colour; white pixels have no class.',
    columns: 'image, mask and prediction',
  },
  async run(config, context) {
    const { segmentation } = await import('../training/segment.js');
    return segmentation(config, context);
  },
});
