/**
 * Every key of a sweep spec, declared once: its type, range, default and meaning. The TypeScript types, the checks at
 * run time and `schema/sweep.schema.json` are derived from here. `cells.ts` and `resolve-job.ts` check keys that depend on
 * each other.
 *
 * The message of a refinement begins with "expected"; the value found is added when it is printed.
 */
import { z } from 'zod';
import { describeEntries } from '../common/registry.js';
import { count, positive, share } from '../common/values.js';
import { augmentationKeys } from '../data/augmentations/index.js';
import { DATASETS } from '../data/registry.js';
import { EVALUATIONS, type Recipes } from '../stages/index.js';
import { recipe } from '../stages/recipe.js';
import { GEOMETRIES } from '../task/geometries/index.js';
import { MASKS } from '../task/masks/index.js';
import { strengthsShape } from '../task/strengths.js';
import { STYLES } from '../task/styles/index.js';
import { TARGETS } from '../task/targets/index.js';
import { WEIGHTS_FORMATS } from './weights-formats.js';
import { evaluateSchema, pretrainDataSchema } from './evaluate-schema.js';
import { describeObjectives, OBJECTIVES, objectiveName, parseObjective } from './objective.js';
import { DEFAULT_MASK, MASK_KINDS, MISALIGNMENTS, STYLE_KINDS, PRETRAIN_TARGETS } from './task.js';

// --- data ------------------------------------------------------------------------------------------------------------

const { shapes, ...others } = DATASETS;
export const dataSchema = z.discriminatedUnion('name', [
  shapes.schema,
  ...Object.values(others).map(({ schema }) => schema),
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

/** A file of weights of another program. */
const weightsSchema = z
  .strictObject({
    file: z.string().min(1).describe('A safetensors file.'),
    format: z
      .enum(['auto', ...WEIGHTS_FORMATS])
      .default('auto')
      .describe('The program whose names and layouts the tensors have; auto: detected from the names.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits in lower case')
      .optional()
      .describe('The SHA-256 that the file must have.'),
  })
  .describe('Given weights: objective pretrained evaluates them, and pretrain.fromWeights continues from them.');

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
      .describe('The features that classifiers and probes read: the mean of the patch tokens, or the class token.'),
    qkvBias: z
      .enum(['all', 'qv'])
      .default('qv')
      .describe('Attention biases: q and v only (the paper), or k too (timm, MAE).'),
    init: init.describe(
      'Initial weights of pre-training: normal of std 0.02 cut at ±0.02 (the paper) or at ±2 (timm), or Xavier (MAE); auto: the paper for vit-b and vit-l, Xavier below.',
    ),
    scratchInit: init.describe(
      'Initial weights of a model trained from scratch; auto: normal of std 0.02 (the paper) for vit-b and vit-l, Xavier below.',
    ),
    precision: z
      .enum(['float32', 'float16', 'bfloat16'])
      .default('float32')
      .describe(
        'Precision of the factors of matrix products; sums, weights and residuals are float32. float16 requires a GPU and webgpu, bfloat16 requires simd.',
      ),
    weights: weightsSchema.optional(),
    decoder: z
      .strictObject({
        dim: count.optional().describe('Width of the decoder.'),
        depth: count.optional().describe('Number of decoder blocks.'),
        heads: count.optional().describe('Number of attention heads; divides dim.'),
        embedBias: z.boolean().default(false).describe('A bias in the projection from encoder to decoder (MAE).'),
      })
      .prefault({}),
  })
  .describe('The Vision Transformer and its light decoder.');

// --- recipes ---------------------------------------------------------------------------------------------------------

const pretrainKeys = recipe(
  { baseLearningRate: 1.5e-4, minLearningRate: 1e-5, beta2: 0.95 },
  augmentationKeys('pretrain', { cropScale: [0.2, 1] }),
);
export const pretrainSchema = z
  .strictObject({
    ...pretrainKeys,
    data: pretrainDataSchema
      .optional()
      .describe('Another data set for pre-training, which needs neither classes nor a test set; `data` by default.'),
    dropPath: pretrainKeys.dropPath.default(0).describe('Largest stochastic-depth rate of the encoder.'),
    target: z
      .enum(PRETRAIN_TARGETS)
      .default('patch-channel')
      .describe(`The prediction target of each token. ${describeEntries(TARGETS)}.`),
    fromWeights: z.boolean().default(false).describe('Start from model.weights instead of initial weights.'),
  })
  .describe('Pre-training (PAPER.md §6).');

// --- one job ---------------------------------------------------------------------------------------------------------

/** The name of an objective, converted to its canonical spelling. */
export const objectiveSchema = z
  .string()
  .transform((text, context) => {
    const parsed = parseObjective(text);
    if (parsed.kind !== 'invalid') return objectiveName(parsed);
    context.addIssue({ code: 'custom', message: parsed.reason });
    return z.NEVER;
  })
  // For editors: all canonical names, and a pattern for other orders of the parts.
  .meta({ anyOf: [{ enum: [...OBJECTIVES] }, { pattern: '^[a-z0-9 -]+([+][a-z0-9 -]+)+$' }] });

/** The recipe of each evaluation, under its name. */
function recipesOfEvaluations() {
  const keys = Object.values<{ name: string; recipe: z.ZodObject }>(EVALUATIONS).map(({ name, recipe }) => [
    name,
    recipe.prefault({}),
  ]);
  return Object.fromEntries(keys) as { [Name in keyof Recipes]: z.ZodPrefault<Recipes[Name]> };
}

export const jobSchema = z
  .strictObject({
    objective: objectiveSchema.default('masked').describe(describeObjectives()),
    maskRatio: share(z.number().min(0).lt(1))
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
    ...recipesOfEvaluations(),
    evaluate: evaluateSchema
      .default(['finetune'])
      .describe(
        'How pre-trained encoders are measured: protocols by name, or entries with a name, a protocol, and optionally ' +
          'another data set, shots, repeats and keys of the recipe. Tables rank by the first. Empty: pre-training only.',
      ),
  })
  .describe('Defaults of every job.');

/** One validated job: every key is present, the triple is not yet resolved. */
export type JobSpec = z.output<typeof jobSchema>;
export type DataSpec = z.output<typeof dataSchema>;
export type DegradationSpec = z.output<typeof degradationSchema>;
export type ModelSpec = z.output<typeof modelSchema>;
export type PretrainSpec = z.output<typeof pretrainSchema>;
export type Preset = (typeof PRESETS)[number];
export type Init = (typeof INITS)[number];
