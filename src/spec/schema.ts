/**
 * Every key of a sweep spec, declared once: its type, range, default and meaning. The TypeScript types, the checks at
 * run time and `schema/sweep.schema.json` all come from here. What keys mean together is in `cells.ts` and `jobs.ts`.
 *
 * The message of a refinement begins with "expected"; what was found is added where it is printed.
 */
import { z } from 'zod';
import { OBJECTIVES, objectiveName, parseObjective } from './objective.js';

const positive = z.number().positive();
const nonNegative = z.number().nonnegative();
const count = z.int().positive();
const probability = z.number().min(0).max(1);
const beta = z.number().min(0).lt(1);

/** A fraction as a number, or written as in the paper: `160/224`. */
const FRACTION = /^\s*(\d+)\s*\/\s*([1-9]\d*)\s*$/;
const fraction = z
  .union([z.number(), z.string().regex(FRACTION, 'expected a fraction such as 160/224')])
  .transform((value) => {
    if (typeof value === 'number') return value;
    const [, numerator, denominator] = FRACTION.exec(value)!;
    return Number(numerator) / Number(denominator);
  })
  .pipe(z.number().gt(0, 'expected a fraction above 0').lt(1, 'expected a fraction below 1'));

const ascending = (range: [number, number]): boolean => range[0] <= range[1];
const ORDER = 'expected [low, high] with low ≤ high';
const cropScale = z.tuple([positive.max(1), positive.max(1)]).refine(ascending, ORDER);

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
  zoomedIn: z
    .strictObject({
      fraction: z
        .union([z.literal('auto'), fraction])
        .default('auto')
        .describe('Linear fraction of the field that the input shows; auto: 160/224 unmasked, 224/288 masked.'),
      loss: z
        .enum(['auto', 'field', 'centre-border'])
        .default('auto')
        .describe(
          'field: all tokens; centre-border: the weighted sum of the paper; auto: field unmasked, else the sum.',
        ),
      centreWeight: nonNegative.default(0.8).describe('Weight of the centre in the centre-border loss.'),
      borderWeight: nonNegative.default(0.2).describe('Weight of the four border strips (summed).'),
    })
    .prefault({}),
  zoomedOut: z
    .strictObject({
      fraction: fraction.prefault('160/224').describe('Linear fraction of the canvas that holds the content.'),
    })
    .prefault({}),
  distorted: z
    .strictObject({
      strength: z
        .tuple([nonNegative.max(0.5), nonNegative.max(0.5)])
        .refine(ascending, ORDER)
        .default([0.15, 0.25])
        .describe('Range of the strength, drawn per image.'),
      centre: z
        .tuple([z.number().min(-1).max(1), z.number().min(-1).max(1)])
        .refine(ascending, ORDER)
        .default([-1, 1])
        .describe('Range of each coordinate of the centre, drawn per image; the image spans [-1, 1].'),
    })
    .prefault({}),
  blurred: z
    .strictObject({
      kernelSize: z
        .union([z.literal('auto'), count.min(3).refine((size) => size % 2 === 1, 'expected an odd kernel size')])
        .default('auto')
        .describe('Side of the random kernel; auto: 7 at patch 16, scaled with the patch otherwise (odd, at least 3).'),
      relativeStd: nonNegative
        .default(0.98)
        .describe('Standard deviation of a weight as a multiple of its mean 1/k²; 0.98 is 0.02 at 7×7.'),
      mixChannels: z.boolean().default(true).describe('One 3→3 kernel (the paper), or one kernel a channel.'),
      unitGain: z.boolean().default(false).describe('Divide the weights by their sum; the paper does not.'),
      clip: z.boolean().default(false).describe('Clip the result to the range of pixels; the paper does not.'),
    })
    .prefault({}),
  decolorized: z
    .strictObject({
      variant: z
        .enum(['luminance', 'saturation', 'random-mix'])
        .default('luminance')
        .describe('Rec. 601 grey; a lower HSV saturation; or a random mix of the channels.'),
      saturation: probability.default(0.3).describe('Factor of the saturation variant.'),
      normalizeMix: z.boolean().default(false).describe('Scale the weights of a random mix to sum 1.'),
    })
    .prefault({}),
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
      .enum(['patch-channel', 'patch', 'none'])
      .default('patch-channel')
      .describe('Target normalisation: per patch and channel (the paper), per patch (MAE), or none.'),
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
export const MISALIGNMENTS = ['none', 'zoomed-in', 'zoomed-out', 'distorted'] as const;
export const STYLES = ['preserved', 'blurred', 'decolorized'] as const;

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
  .meta({ anyOf: [{ enum: [...OBJECTIVES] }, { pattern: '^[a-z -]+([+][a-z -]+)+$' }] });

const unique = (values: string[]): boolean => new Set(values).size === values.length;

export const jobSchema = z
  .strictObject({
    objective: objective
      .default('masked')
      .describe(
        'scratch, identity, masked, zoomed-in, zoomed-out, distorted, blurred, decolorized, or several joined by +.',
      ),
    maskRatio: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Fraction of tokens removed; the objective's own by default."),
    misalignment: z.enum(MISALIGNMENTS).optional().describe("Geometry; the objective's own by default."),
    stylePreservation: z
      .union([z.enum(STYLES), z.boolean()])
      .optional()
      .describe(
        "Style; the objective's own by default. true: preserved; false: the objective's own change, or decolorized.",
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
