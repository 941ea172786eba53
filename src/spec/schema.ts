/**
 * Every key of a sweep spec, declared once: its type, range, default and meaning. The TypeScript types, the checks at
 * run time and `schema/sweep.schema.json` all come from here. What keys mean together is in `cells.ts` and `jobs.ts`.
 *
 * The message of a refinement begins with "expected"; what was found is added where it is printed.
 */
import { z } from 'zod';
import { count, nonNegative, positive, probability, range } from '../common/values.js';
import { GEOMETRIES } from '../task/geometries/index.js';
import { MASKS } from '../task/masks/index.js';
import { describeEntries } from '../common/registry.js';
import { strengthsShape } from '../task/strengths.js';
import { STYLES } from '../task/styles/index.js';
import { TARGETS } from '../task/targets/index.js';
import { OBJECTIVE_PARTS, OBJECTIVES, objectiveName, parseObjective } from './objective.js';
import { DEFAULT_MASK, MASK_KINDS, MISALIGNMENTS, STYLE_KINDS, PRETRAIN_TARGETS } from './task.js';

const beta = z.number().min(0).lt(1);
const cropScale = range(positive.max(1));

// --- data ------------------------------------------------------------------------------------------------------------

const dataKeys = {
  imageSize: count.min(8).describe('Side of the square images the model sees, in pixels.'),
  labelFraction: probability
    .gt(0)
    .default(1)
    .describe('Fraction of the training labels that fine-tuning and the probes use, per class, drawn by the seed.'),
  trainImages: count.optional().describe('Use at most this many training images, drawn evenly over the classes.'),
  testImages: count.optional().describe('Use at most this many test images, drawn evenly over the classes.'),
};

const path = z.string().min(1);

export const dataSchema = z.discriminatedUnion('name', [
  z
    .strictObject({
      ...dataKeys,
      // Optional as well as defaulted: without it, the discriminator itself would have to be written.
      name: z.literal('shapes').optional().default('shapes').describe('The data set.'),
      imageSize: dataKeys.imageSize.default(32),
      trainImages: count.default(4000).describe('Number of training images generated.'),
      testImages: count.default(1000).describe('Number of test images generated.'),
    })
    .describe('Built in and generated: 10 classes told apart by form.'),
  z
    .strictObject({
      ...dataKeys,
      name: z.enum(['cifar10', 'cifar100']),
      imageSize: dataKeys.imageSize.default(32),
      path: path.optional().describe('Folder of the binary files; `vitmim data fetch` fills the default.'),
    })
    .describe('CIFAR in its official binary files.'),
  z
    .strictObject({
      ...dataKeys,
      name: z.literal('idx'),
      imageSize: dataKeys.imageSize.default(32),
      path: path.describe('Folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (also .gz).'),
    })
    .describe('IDX files: MNIST and its likes. Grey images become three equal channels.'),
  z
    .strictObject({
      ...dataKeys,
      name: z.literal('image-folder'),
      imageSize: dataKeys.imageSize.default(224),
      path: path.describe('Folder with train/ and test/ (or val/), each with one folder of JPEG, PNG or WebP a class.'),
      corrupt: z
        .enum(['fail', 'skip'])
        .default('fail')
        .describe('A file that cannot be decoded stops the stage, or is passed over and named, up to 5 % of a split.'),
    })
    .describe('Images in one folder a class.'),
]);

// --- degradations ----------------------------------------------------------------------------------------------------

export const degradationSchema = z.strictObject({
  mask: z
    .enum(MASK_KINDS)
    .default(DEFAULT_MASK.kind)
    .describe(`Which tokens a mask removes. ${describeEntries(MASKS)}.`),
  ...strengthsShape(GEOMETRIES),
  ...strengthsShape(STYLES),
  ...strengthsShape(MASKS),
});

// --- model -----------------------------------------------------------------------------------------------------------

export const PRESETS = ['vit-nano', 'vit-ti', 'vit-s', 'vit-b', 'vit-l'] as const;
export const POOLINGS = ['mean', 'class-token'] as const;
export const INITS = ['truncated-normal-narrow', 'truncated-normal', 'xavier-uniform'] as const;

const init = z.enum(['auto', ...INITS]).default('auto');

export const modelSchema = z
  .strictObject({
    preset: z.enum(PRESETS).default('vit-nano').describe('Sizes to begin from; every key below overrides one.'),
    patchSize: count.optional().describe('Side of a patch in pixels (vit-nano: 4, others: 16).'),
    dim: count.optional().describe('Width of the encoder.'),
    depth: count.optional().describe('Number of encoder blocks.'),
    heads: count.optional().describe('Number of attention heads; divides dim.'),
    mlpRatio: positive.default(4).describe('Width of the MLP as a multiple of dim.'),
    positions: z
      .enum(['sincos-1d', 'sincos-2d'])
      .default('sincos-1d')
      .describe('Fixed position tables: 1-D over the flattened index (the paper) or 2-D (MAE).'),
    classToken: z.boolean().default(false).describe('Prepend a class token, which encoder and decoder see (MAE).'),
    pooling: z
      .enum(POOLINGS)
      .default('mean')
      .describe('What classifiers and probes read: the mean of the patch tokens, or the class token.'),
    qkvBias: z
      .enum(['all', 'qv'])
      .default('qv')
      .describe('Attention biases: q and v alone (the paper), or k too (timm, MAE).'),
    init: init.describe(
      'Initial weights of pre-training: normal of std 0.02 cut at ±0.02 (the paper) or at ±2 (timm), or Xavier (MAE); auto: the paper for vit-b and vit-l, Xavier below.',
    ),
    scratchInit: init.describe(
      'Initial weights of a model trained from scratch; auto: normal of std 0.02 (the paper) for vit-b and vit-l, Xavier below.',
    ),
    precision: z
      .enum(['float32', 'float16'])
      .default('float32')
      .describe(
        'What products multiply in and their factors are kept in; sums, weights and residuals are float32. float16 wants a GPU by webgpu.',
      ),
    decoder: z
      .strictObject({
        dim: count.optional().describe('Width of the decoder.'),
        depth: count.optional().describe('Number of decoder blocks.'),
        heads: count.optional().describe('Number of attention heads; divides dim.'),
      })
      .prefault({}),
  })
  .describe('The Vision Transformer and its light decoder.');

// --- recipes ---------------------------------------------------------------------------------------------------------

const recipe = (defaults: {
  baseLearningRate: number;
  minLearningRate: number;
  beta2: number;
  cropScale: [number, number];
}) => ({
  epochs: count.default(20).describe('Passes over the training images.'),
  batchSize: count.default(128).describe('Images in one optimiser step.'),
  accumulate: count.default(1).describe('Split each batch in this many parts to save memory; the step stays the same.'),
  baseLearningRate: positive
    .default(defaults.baseLearningRate)
    .describe('Peak learning rate for a batch of 256; the peak used is this × the images in a step / 256.'),
  minLearningRate: nonNegative.default(defaults.minLearningRate).describe('Where the cosine ends.'),
  warmupEpochs: nonNegative.default(2).describe('Epochs of linear warm-up from 0; fractions are allowed.'),
  weightDecay: nonNegative.default(0.05).describe('Decoupled decay of matrices; biases, norms and tokens have none.'),
  beta1: beta.default(0.9).describe('Decay of the running mean of the gradient.'),
  beta2: beta.default(defaults.beta2).describe('Decay of the running mean of its square.'),
  clipGradient: positive.optional().describe('Largest global L2 norm of the gradient; not clipped when absent.'),
  dropPath: z.number().min(0).lt(1),
  cropScale: cropScale.default(defaults.cropScale).describe('Area range of the random resized crop.'),
  flip: z.boolean().default(true).describe('Mirror half of the images left to right.'),
});

const pretrainKeys = recipe({ baseLearningRate: 1.5e-4, minLearningRate: 1e-5, beta2: 0.95, cropScale: [0.2, 1] });
export const pretrainSchema = z
  .strictObject({
    ...pretrainKeys,
    dropPath: pretrainKeys.dropPath.default(0).describe('Largest stochastic-depth rate of the encoder.'),
    target: z
      .enum(PRETRAIN_TARGETS)
      .default('patch-channel')
      .describe(`What is predicted for each token. ${describeEntries(TARGETS)}.`),
  })
  .describe('Pre-training (PAPER.md §6).');

const finetuneKeys = recipe({ baseLearningRate: 1e-3, minLearningRate: 1e-6, beta2: 0.999, cropScale: [0.08, 1] });
export const finetuneSchema = z
  .strictObject({
    ...finetuneKeys,
    dropPath: finetuneKeys.dropPath.default(0.1).describe('Largest stochastic-depth rate of the encoder.'),
    layerDecay: positive.max(1).default(0.75).describe('Learning-rate factor from each layer to the one below it.'),
    scratchLayerDecay: positive.max(1).default(1).describe('The same where there is no pre-training.'),
    labelSmoothing: z.number().min(0).lt(1).default(0.1).describe('Share of each label spread over all classes.'),
    mixup: nonNegative.default(0.8).describe('Parameter of the Beta distribution of mixup; 0 is off.'),
    cutmix: nonNegative.default(1).describe('The same for cutmix; with both on, each batch takes either at even odds.'),
    evaluateEvery: count.optional().describe('Epochs between evaluations on the test set; only the last by default.'),
  })
  .describe('Supervised fine-tuning (PAPER.md §7).');

/** Of the probes, which want more labels than a fine-tuning that few labels shall limit (PAPER.md §13). */
const probeLabels = dataKeys.labelFraction
  .unwrap()
  .optional()
  .describe('Fraction of the training labels, per class; data.labelFraction by default.');

export const linearSchema = z
  .strictObject({
    epochs: count.default(90).describe('Passes over the frozen features.'),
    batchSize: count.default(256).describe('Features in one optimiser step.'),
    baseLearningRate: positive.default(0.1).describe('Peak learning rate for a batch of 256 (SGD, momentum 0.9).'),
    warmupEpochs: nonNegative.default(10).describe('Epochs of linear warm-up from 0.'),
    weightDecay: nonNegative.default(0).describe('Decay of the weights; the bias has none.'),
    labelFraction: probeLabels,
  })
  .describe('Linear probe: a linear classifier on frozen, standardised features.');

export const knnSchema = z
  .strictObject({
    k: count.default(20).describe('Number of neighbours.'),
    temperature: positive.default(0.07).describe('Votes weigh exp(cosine similarity / temperature).'),
    labelFraction: probeLabels,
  })
  .describe('k nearest neighbours by cosine similarity on frozen features.');

// --- one job ---------------------------------------------------------------------------------------------------------

export const EVALUATIONS = ['finetune', 'linear', 'knn'] as const;

/** The name of an objective, brought to its canonical spelling. */
const objective = z
  .string()
  .transform((text, context) => {
    const parsed = parseObjective(text);
    if (parsed.kind !== 'invalid') return objectiveName(parsed);
    context.addIssue({ code: 'custom', message: parsed.reason });
    return z.NEVER;
  })
  // For editors: the canonical names complete, other orders of the parts pass.
  .meta({ anyOf: [{ enum: [...OBJECTIVES] }, { pattern: '^[a-z0-9 -]+([+][a-z0-9 -]+)+$' }] });

const unique = (values: string[]): boolean => new Set(values).size === values.length;

export const jobSchema = z
  .strictObject({
    objective: objective.default('masked').describe(`${OBJECTIVE_PARTS.join(', ')}, or several joined by +.`),
    maskRatio: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Fraction of tokens removed; the objective's own by default."),
    misalignment: z
      .enum(MISALIGNMENTS)
      .optional()
      .describe(`Geometry; the objective's own by default. ${describeEntries(GEOMETRIES)}.`),
    stylePreservation: z
      .union([z.enum(STYLE_KINDS), z.boolean()])
      .optional()
      .describe(
        "Style; the objective's own by default. true: preserved; false: the objective's own change, or decolorized. " +
          `${describeEntries(STYLES)}.`,
      ),
    seed: z.int().nonnegative().default(0).describe('Root of every random stream of the job.'),
    data: dataSchema.prefault({}).describe('The data set, and how much of it.'),
    model: modelSchema.prefault({}),
    degradation: degradationSchema.prefault({}).describe('Strengths of the degradations.'),
    pretrain: pretrainSchema.prefault({}),
    finetune: finetuneSchema.prefault({}),
    linear: linearSchema.prefault({}),
    knn: knnSchema.prefault({}),
    evaluate: z
      .array(z.enum(EVALUATIONS))
      .min(1)
      .refine(unique, 'expected each evaluation at most once')
      .default(['finetune'])
      .describe('How pre-trained encoders are measured; the first is what tables rank by.'),
  })
  .describe('Defaults of every job.');

/** One job as written: every key present, triple not yet resolved. */
export type JobSpec = z.output<typeof jobSchema>;
export type DataSpec = z.output<typeof dataSchema>;
export type DegradationSpec = z.output<typeof degradationSchema>;
export type ModelSpec = z.output<typeof modelSchema>;
export type PretrainSpec = z.output<typeof pretrainSchema>;
export type FinetuneSpec = z.output<typeof finetuneSchema>;
export type LinearSpec = z.output<typeof linearSchema>;
export type KnnSpec = z.output<typeof knnSchema>;
export type Preset = (typeof PRESETS)[number];
export type Init = (typeof INITS)[number];
export type Evaluation = (typeof EVALUATIONS)[number];
