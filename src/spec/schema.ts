/**
 * Every key of a sweep spec, declared once: its type, range, default and meaning. The TypeScript types, the checks at
 * run time and `schema/sweep.schema.json` all come from here. What keys mean together is in `cells.ts` and `jobs.ts`.
 *
 * The message of a refinement begins with "expected"; what was found is added where it is printed.
 */
import { z } from 'zod';
import { DATASETS } from '../data/registry.js';
import { EVALUATION_NAMES, EVALUATIONS, type Recipes } from '../stages/index.js';
import { OBJECTIVES, objectiveName, parseObjective } from './objective.js';
import { recipe } from './recipe.js';
import { ascending, count, fraction, nonNegative, ORDER, positive, probability } from './values.js';

// --- data ------------------------------------------------------------------------------------------------------------

const { shapes, ...others } = DATASETS;
export const dataSchema = z.discriminatedUnion('name', [
  shapes.schema,
  ...Object.values(others).map(({ schema }) => schema),
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

// --- one job ---------------------------------------------------------------------------------------------------------

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

/** The recipe of each evaluation, under its name. */
function recipesOfEvaluations() {
  const keys = Object.values<{ name: string; recipe: z.ZodObject }>(EVALUATIONS).map(({ name, recipe }) => [
    name,
    recipe.prefault({}),
  ]);
  return Object.fromEntries(keys) as { [Name in keyof Recipes]: z.ZodPrefault<Recipes[Name]> };
}

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
    ...recipesOfEvaluations(),
    evaluate: z
      .array(z.enum(EVALUATION_NAMES))
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
export type Preset = (typeof PRESETS)[number];
export type Init = (typeof INITS)[number];
