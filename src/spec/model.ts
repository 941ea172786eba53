/** Model sizes: presets, and the values of a spec that override them. */
import { UsageError } from '../common/errors.js';
import type { Init, ModelSpec, POOLINGS, Preset } from './schema.js';

export type { Init } from './schema.js';

/** An encoder with all numbers resolved. */
export interface EncoderConfig {
  imageSize: number;
  patchSize: number;
  dim: number;
  depth: number;
  heads: number;
  mlpRatio: number;
  positions: 'sincos-1d' | 'sincos-2d';
  classToken: boolean;
  qkvBias: 'all' | 'qv';
  /** The input of a classifier or a probe: the mean of the patches' tokens, or the class token. */
  pooling: (typeof POOLINGS)[number];
  init: Init;
  /** Of the factors of matrix products. Absent for float32, so that the identities of such stages stay the same. */
  precision?: Exclude<ModelSpec['precision'], 'float32'>;
}

/** An encoder and the decoder with which it is pre-trained. */
export interface ModelConfig extends EncoderConfig {
  decoder: {
    dim: number;
    depth: number;
    heads: number;
    /** Whether the projection to the decoder has a bias. Absent: no. */
    embedBias?: true;
  };
}

/** A model with both inits: `init` is the one for pre-training. */
export interface ResolvedModel extends ModelConfig {
  /** For a model that is trained from scratch. */
  scratchInit: Init;
}

export type Sizes = Pick<ModelConfig, 'patchSize' | 'dim' | 'depth' | 'heads' | 'decoder'>;

/** vit-b and vit-l with the paper's decoders (PAPER.md §2); vit-s and vit-ti with theirs scaled by the width. */
const SIZES: Record<Preset, Sizes> = {
  'vit-nano': { patchSize: 4, dim: 96, depth: 4, heads: 3, decoder: { dim: 64, depth: 1, heads: 2 } },
  'vit-ti': { patchSize: 16, dim: 192, depth: 12, heads: 3, decoder: { dim: 96, depth: 4, heads: 3 } },
  'vit-s': { patchSize: 16, dim: 384, depth: 12, heads: 6, decoder: { dim: 192, depth: 4, heads: 3 } },
  'vit-b': { patchSize: 16, dim: 768, depth: 12, heads: 12, decoder: { dim: 384, depth: 4, heads: 6 } },
  'vit-l': { patchSize: 16, dim: 1024, depth: 24, heads: 16, decoder: { dim: 512, depth: 8, heads: 8 } },
};

interface Inits {
  pretraining: Init;
  scratch: Init;
}

/** The paper's: PAPER.md §2 and §7. */
const PAPER_INITS: Inits = { pretraining: 'truncated-normal-narrow', scratch: 'truncated-normal' };

/**
 * At small widths a fixed std of 0.02, or 0.011, is far below the std that keeps the signal's variance. This decides
 * comparisons: it costs a model from scratch four points and slows masked tasks most (PAPER.md §13). Therefore small
 * presets use Xavier's.
 */
const SMALL_INITS: Inits = { pretraining: 'xavier-uniform', scratch: 'xavier-uniform' };

/** The meaning of `auto`. */
const AUTO_INITS: Record<Preset, Inits> = {
  'vit-nano': SMALL_INITS,
  'vit-ti': SMALL_INITS,
  'vit-s': SMALL_INITS,
  'vit-b': PAPER_INITS,
  'vit-l': PAPER_INITS,
};

/** The sizes of a model spec: those of its preset, with the ones that it sets. */
export function modelSizes({ preset, patchSize, dim, depth, heads, decoder }: ModelSpec): Sizes {
  const sizes = SIZES[preset];
  return {
    patchSize: patchSize ?? sizes.patchSize,
    dim: dim ?? sizes.dim,
    depth: depth ?? sizes.depth,
    heads: heads ?? sizes.heads,
    decoder: {
      dim: decoder.dim ?? sizes.decoder.dim,
      depth: decoder.depth ?? sizes.decoder.depth,
      heads: decoder.heads ?? sizes.decoder.heads,
      ...(decoder.embedBias && { embedBias: true }),
    },
  };
}

/**
 * Applies a model spec to its preset.
 *
 * @throws UsageError if the numbers contradict each other: patches that do not tile the image, heads that do not divide
 * the width, a width that sin-cos positions do not divide, or features from a class token that does not exist.
 */
export function resolveModel(spec: ModelSpec, imageSize: number): ResolvedModel {
  const inits = AUTO_INITS[spec.preset];
  const config: ResolvedModel = {
    imageSize,
    ...modelSizes(spec),
    mlpRatio: spec.mlpRatio,
    positions: spec.positions,
    classToken: spec.classToken,
    qkvBias: spec.qkvBias,
    pooling: spec.pooling,
    init: spec.init === 'auto' ? inits.pretraining : spec.init,
    scratchInit: spec.scratchInit === 'auto' ? inits.scratch : spec.scratchInit,
    ...(spec.precision !== 'float32' && { precision: spec.precision }),
  };
  if (imageSize % config.patchSize !== 0) {
    throw new UsageError(
      `patches of ${config.patchSize} px do not tile images of ${imageSize} px: ` +
        `choose model.patchSize among the divisors of data.imageSize`,
    );
  }
  if (config.pooling === 'class-token' && !config.classToken) {
    throw new UsageError(
      'model.pooling is class-token, but there is none: set model.classToken: true, or pooling: mean',
    );
  }
  for (const [key, { dim, heads }] of [['model', config] as const, ['model.decoder', config.decoder] as const]) {
    if (dim % heads !== 0) throw new UsageError(`${key}.heads (${heads}) does not divide ${key}.dim (${dim})`);
    // 1-D tables alternate sin and cos; 2-D tables do so for each axis.
    const divisor = config.positions === 'sincos-1d' ? 2 : 4;
    if (dim % divisor !== 0) {
      throw new UsageError(`${key}.dim (${dim}) must be a multiple of ${divisor} for ${config.positions} positions`);
    }
  }
  return config;
}

/** Number of patches in an image: (imageSize / patchSize)². */
export function patchCount(config: Pick<EncoderConfig, 'imageSize' | 'patchSize'>): number {
  return (config.imageSize / config.patchSize) ** 2;
}

/** Number of tokens that masking keeps: int(N × (1 − ratio)), as in MAE (PAPER.md §2), and at least one. */
export function keptTokens(tokens: number, maskRatio: number): number {
  // Rounding errors: 10 × (1 − 0.9) is 0.999… instead of 1. The 1e-9 corrects them; 196 × (1 − 0.9) stays 19.
  return Math.max(1, Math.floor(tokens * (1 - maskRatio) + 1e-9));
}
