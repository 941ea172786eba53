/**
 * Robustness: a linear probe, trained on clean images, measured on the corruptions of ImageNet-C and CIFAR-10-C. The
 * mean corruption error is not normalised by the error of AlexNet (`docs/tables.md`). Fine-tuned weights are measured by
 * `corruptions` of `finetune`.
 */
import { z } from 'zod';
import { CORRUPTIONS, COUNTED_CORRUPTIONS, type CorruptionName } from '../data/corruptions/index.js';
import { defineEvaluation, type EvaluationConfig, type ResolvedRecipe, type ResultNumbers } from './evaluation.js';
import {
  ACCURACY,
  BASE_LEARNING_RATE,
  BATCH_SIZE,
  CHANCE_LOSS,
  LOSS,
  PERCENT,
  type ResultField,
  type Fields,
  type Metric,
  type Metrics,
} from './fields.js';
import { linearFlops, linearRecipe } from './linear.js';

const recipe = linearRecipe.describe('Robustness: a linear probe on clean images, measured on corrupted ones.');

/** The mean error on the corruptions, of any classifier. */
export const MEAN_ERROR = {
  schema: z.number(),
  label: 'mean corruption error',
  title: 'Mean corruption error',
  name: 'mean corruption error, not normalised',
  description: `Mean top-1 error over the ${COUNTED_CORRUPTIONS.length} corruptions and 5 severities; not normalised by the error of AlexNet.`,
  unit: PERCENT,
  digits: 2,
  better: 'lower',
  tag: 'error/corruptions',
} satisfies Metric;

const ofLaterVersions = z.number().nullable().default(null);

/**
 * Whether encoders cope with blur and grey: the styles that objectives are pre-trained on. Missing in earlier results.
 */
export const STYLE_ERRORS = {
  blurError: {
    schema: ofLaterVersions,
    label: 'blur error',
    title: 'Error under blur',
    name: 'error under blur',
    description: 'Mean top-1 error over the four blurs and 5 severities; empty in results of earlier versions.',
    unit: PERCENT,
    digits: 2,
    better: 'lower',
    tag: 'error/blur',
  },
  greyError: {
    schema: ofLaterVersions,
    label: 'grey error',
    title: 'Error on grey images',
    name: 'error on grey images',
    description:
      'Mean top-1 error on images with less colour, over 5 severities; empty in results of earlier versions.',
    unit: PERCENT,
    digits: 2,
    better: 'lower',
    tag: 'error/grey',
  },
} satisfies Metrics;

const metrics = { meanError: MEAN_ERROR, ...STYLE_ERRORS, ...ACCURACY } satisfies Metrics;

/** The number of a corruption in a result. */
export type CorruptionKey = `error_${CorruptionName}`;

const errorField = (title: string): ResultField<z.ZodNumber> => ({
  schema: z.number(),
  label: title,
  description: `Mean top-1 error on ${title} over its 5 severities.`,
  unit: PERCENT.symbol,
  digits: 2,
});

const errors = Object.fromEntries(
  Object.values(CORRUPTIONS).map(({ name, title }) => [`error_${name}`, errorField(title)]),
) as Record<CorruptionKey, ResultField<z.ZodNumber>>;

const numbers = {
  loss: { ...LOSS, schema: z.number() },
  chanceLoss: CHANCE_LOSS,
  batchSize: BATCH_SIZE,
  baseLearningRate: BASE_LEARNING_RATE,
  ...errors,
} satisfies Fields;

export type RobustnessConfig = EvaluationConfig<'robustness', ResolvedRecipe<typeof recipe>>;
export type RobustnessNumbers = ResultNumbers<'robustness', typeof metrics, typeof numbers>;

export const robustness = defineEvaluation({
  name: 'robustness',
  title: 'robustness',
  needs: 'class',
  trains: 'a head',
  recipe,
  choices: ['baseLearningRate'],
  metrics,
  numbers,
  baseline: { loss: 'loss', level: 'chanceLoss', name: 'equal odds' },
  flops: linearFlops,
  corruptions: { model: 'linear probe', measured: () => true, keyOf: (name): CorruptionKey => `error_${name}` },
  async run(config, context) {
    const { robustness } = await import('../training/robustness.js');
    return robustness(config, context);
  },
});
