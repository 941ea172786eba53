/**
 * The description in a checkpoint, so that it can be used without its results folder: the architecture, how its images
 * are normalised, its classes, the cell that it comes from, and the version that wrote it. All of it is metadata; the
 * stage itself only reads its own keys, so that checkpoints of earlier versions can still be resumed.
 */
import { z } from 'zod';
import { IMAGENET_MEAN, IMAGENET_STD } from '../common/image.js';
import { VERSION } from '../common/version.js';
import { taskName } from '../spec/objective.js';
import type { EncoderConfig, ModelConfig } from '../spec/model.js';
import type { PretrainConfig, Stage } from '../spec/stages.js';

/** The cell of a checkpoint, as far as its stage contains it. */
export interface CheckpointCell {
  objective: string;
  maskRatio: number | null;
  seed: number;
}

/** How pixels in [0, 1] are normalised, for each channel: (pixel − mean) / std. */
export interface Normalisation {
  mean: readonly number[];
  std: readonly number[];
}

/** The description in a checkpoint. */
export interface About {
  model: EncoderConfig | ModelConfig;
  normalisation: Normalisation;
  /** The classes of a classifier in the order of its outputs; null: it is none. */
  classes: readonly string[] | null;
  cell: CheckpointCell;
  /** The version of vitmim that wrote it. */
  vitmim: string;
}

/** ImageNet's: every model is trained on images that are normalised so. */
export const NORMALISATION = { mean: IMAGENET_MEAN, std: IMAGENET_STD } as const;

/**
 * The metadata of a stage's checkpoints.
 *
 * @param pretraining The pre-training that it starts from; null: none.
 * @param classes Of the data set.
 */
export function describeCheckpoint(
  { config }: Pick<Stage, 'config'>,
  pretraining: PretrainConfig | null,
  classes: readonly string[],
): Record<string, string> {
  const about: About = {
    model: config.model,
    normalisation: NORMALISATION,
    classes: config.kind === 'pretrain' ? null : classes,
    cell: cellOf(config, pretraining),
    vitmim: VERSION,
  };
  const { vitmim, ...described } = about;
  return {
    vitmim,
    ...Object.fromEntries(Object.entries(described).map(([key, value]) => [key, JSON.stringify(value)])),
  };
}

function cellOf(config: Stage['config'], pretraining: PretrainConfig | null): CheckpointCell {
  const { seed } = config;
  const task = config.kind === 'pretrain' ? config.task : (pretraining?.task ?? null);
  if (task !== null) return { objective: taskName(task), maskRatio: task.maskRatio, seed };
  return { objective: config.weights === undefined ? 'scratch' : 'pretrained', maskRatio: null, seed };
}

const size = z.int().positive().max(1_000_000);
const modelSchema = z.object({
  imageSize: size,
  patchSize: size,
  dim: size,
  depth: size.max(10_000),
  heads: size,
  mlpRatio: z.number().positive().max(1000),
  positions: z.enum(['sincos-1d', 'sincos-2d']),
  classToken: z.boolean(),
  qkvBias: z.enum(['all', 'qv']),
  pooling: z.enum(['mean', 'class-token']),
  init: z.enum(['truncated-normal-narrow', 'truncated-normal', 'xavier-uniform']),
  decoder: z
    .object({ dim: size, depth: size.max(10_000), heads: size, embedBias: z.literal(true).optional() })
    .optional(),
});
export type DescribedModel = EncoderConfig & { decoder?: ModelConfig['decoder'] | undefined };

/** The model in the metadata of a file; undefined: an earlier version or another program wrote it. */
export function modelIn(metadata: Readonly<Record<string, string>>): DescribedModel | undefined {
  return parse(metadata.model, modelSchema) as DescribedModel | undefined;
}

/** The classes in the metadata of a file; undefined: none are. */
export const classesIn = (metadata: Readonly<Record<string, string>>): string[] | undefined =>
  parse(metadata.classes, z.array(z.string()));

const perChannel = z.array(z.number()).length(3);
export const normalisationSchema = z.object({ mean: perChannel, std: perChannel });

/** How the images of the model in a file are normalised, by its metadata; undefined: they do not say. */
export const normalisationIn = (metadata: Readonly<Record<string, string>>): Normalisation | undefined =>
  parse(metadata.normalisation, normalisationSchema);

function parse<T>(text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
