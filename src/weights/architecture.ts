/**
 * The architecture of a file of weights: from its own description, a config.json beside it, or the shapes of its
 * tensors.
 */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../common/errors.js';
import type { WeightsFormat } from '../spec/weights-formats.js';
import { openBytes, MEBIBYTE } from '../store/open.js';
import { modelIn, type DescribedModel } from './about.js';
import { canonicalNames, partsOf } from './names.js';
import type { WeightsFile } from './read-file.js';

/** The sizes that follow from the shapes of an encoder's tensors. The number of heads does not. */
export type InferredModel = Pick<
  DescribedModel,
  'imageSize' | 'patchSize' | 'dim' | 'depth' | 'mlpRatio' | 'classToken' | 'qkvBias'
>;

/** The architecture by shapes; null: the tensors are not those of a Vision Transformer. */
export function inferModel({ tensors }: Pick<WeightsFile, 'tensors'>, format: WeightsFormat): InferredModel | null {
  const found = canonicalNames(format, tensors);
  /** The shape of the first tensor in which an own tensor of that name and rank is. */
  const shapeOf = (name: string, rank: number): readonly number[] | undefined => {
    const own = { name, shape: new Array<number>(rank).fill(3) };
    return found.get(partsOf(format, own, new Set([name]))[0]!.name)?.shape;
  };
  const embedding = shapeOf('patch_embed.proj.weight', 2);
  const positions = shapeOf('pos_embed', 2);
  const hidden = shapeOf('blocks.0.mlp.fc1.bias', 1)?.[0];
  const dim = shapeOf('patch_embed.proj.bias', 1)?.[0];
  if (embedding === undefined || positions === undefined || hidden === undefined || dim === undefined) return null;
  let depth = 0;
  while (shapeOf(`blocks.${depth}.norm1.weight`, 1) !== undefined) depth += 1;
  const patchSize = format === 'vitmim' ? Math.sqrt(embedding[0]! / 3) : embedding.at(-1)!;
  const rows = Math.floor(Math.sqrt(positions.at(-2)!));
  return {
    imageSize: rows * patchSize,
    patchSize,
    dim,
    depth,
    mlpRatio: hidden / dim,
    classToken: shapeOf('cls_token', 1) !== undefined,
    qkvBias: format === 'vitmim' && shapeOf('blocks.0.attn.q_bias', 1) !== undefined ? 'qv' : 'all',
  };
}

const configSchema = z.looseObject({
  num_attention_heads: z.int().positive().optional(),
  global_pool: z.string().optional(),
  model_args: z
    .looseObject({ num_heads: z.int().positive().optional(), global_pool: z.string().optional() })
    .optional(),
});

/** Heads of widths whose models do not have heads of 64 values. */
const HEADS: ReadonlyMap<number, number> = new Map([
  [96, 3],
  [1280, 16],
  [1408, 16],
]);

/**
 * The model of a file.
 *
 * @param asked The number of attention heads, which shapes do not show; undefined: as in the file or its config.json.
 * @throws UsageError if it cannot be found out.
 */
export function modelOfShapes(file: WeightsFile, format: WeightsFormat, asked?: number): DescribedModel {
  const described = modelIn(file.metadata);
  if (described !== undefined && format === 'vitmim') return described;
  const inferred = inferModel(file, format);
  if (inferred === null) {
    throw new UsageError(`${file.path} does not have the tensors of a Vision Transformer; choose another file`);
  }
  const config = jsonBeside(file.path, 'config.json', configSchema);
  const names = canonicalNames(format, file.tensors);
  const pool = config?.model_args?.global_pool ?? config?.global_pool;
  const mean = pool === undefined ? !inferred.classToken || names.has('fc_norm.weight') : pool === 'avg';
  const heads =
    asked ??
    config?.num_attention_heads ??
    config?.model_args?.num_heads ??
    HEADS.get(inferred.dim) ??
    inferred.dim / 64;
  if (!Number.isInteger(heads) || inferred.dim % heads !== 0) {
    throw new UsageError(
      `${file.path} does not say how many attention heads it has; put the config.json of its model beside it`,
    );
  }
  return {
    ...inferred,
    heads,
    positions: 'sincos-2d',
    pooling: mean ? 'mean' : 'class-token',
    init: 'truncated-normal',
  };
}

/** A JSON file beside a file of weights; undefined: there is none that fits the schema. */
export function jsonBeside<T>(path: string, name: string, schema: z.ZodType<T>): T | undefined {
  const bytes = openBytes(join(dirname(path), name), MEBIBYTE);
  if (bytes.kind !== 'present') return undefined;
  try {
    return schema.safeParse(JSON.parse(bytes.value.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
