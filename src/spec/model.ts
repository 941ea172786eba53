/** Model sizes: presets, and how a spec's overrides are laid over them. */
import { UsageError } from '../common/errors.js';
import type { ModelSpec, PRESETS } from './schema.js';

/** An encoder with every number decided. */
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
  init: 'truncated-normal' | 'xavier-uniform';
  /** Of the factors of matrix products. Absent where it is float32: stages are known by their configuration. */
  precision?: 'float16';
}

/** An encoder and the decoder it is pre-trained with. */
export interface ModelConfig extends EncoderConfig {
  decoder: { dim: number; depth: number; heads: number };
}

type Sizes = Pick<ModelConfig, 'patchSize' | 'dim' | 'depth' | 'heads' | 'decoder'>;

/** vit-b and vit-l with the paper's decoders (PAPER.md §2); vit-s and vit-ti with theirs scaled by the width. */
const SIZES: Record<(typeof PRESETS)[number], Sizes> = {
  'vit-nano': { patchSize: 4, dim: 96, depth: 4, heads: 3, decoder: { dim: 64, depth: 1, heads: 2 } },
  'vit-ti': { patchSize: 16, dim: 192, depth: 12, heads: 3, decoder: { dim: 96, depth: 4, heads: 3 } },
  'vit-s': { patchSize: 16, dim: 384, depth: 12, heads: 6, decoder: { dim: 192, depth: 4, heads: 3 } },
  'vit-b': { patchSize: 16, dim: 768, depth: 12, heads: 12, decoder: { dim: 384, depth: 4, heads: 6 } },
  'vit-l': { patchSize: 16, dim: 1024, depth: 24, heads: 16, decoder: { dim: 512, depth: 8, heads: 8 } },
};

/**
 * Lays a model spec over its preset.
 *
 * @throws UsageError where the numbers contradict each other: patches that do not tile the image, heads that do not
 * divide the width, or a width that sin-cos positions cannot fill.
 */
export function resolveModel(spec: ModelSpec, imageSize: number): ModelConfig {
  const sizes = SIZES[spec.preset];
  const config: ModelConfig = {
    imageSize,
    patchSize: spec.patchSize ?? sizes.patchSize,
    dim: spec.dim ?? sizes.dim,
    depth: spec.depth ?? sizes.depth,
    heads: spec.heads ?? sizes.heads,
    mlpRatio: spec.mlpRatio,
    positions: spec.positions,
    classToken: spec.classToken,
    qkvBias: spec.qkvBias,
    init: spec.init,
    ...(spec.precision === 'float16' && { precision: spec.precision }),
    decoder: {
      dim: spec.decoder.dim ?? sizes.decoder.dim,
      depth: spec.decoder.depth ?? sizes.decoder.depth,
      heads: spec.decoder.heads ?? sizes.decoder.heads,
    },
  };
  if (imageSize % config.patchSize !== 0) {
    throw new UsageError(
      `patches of ${config.patchSize} px do not tile images of ${imageSize} px: ` +
        `choose model.patchSize among the divisors of data.imageSize`,
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

/** Number of tokens that masking keeps: int(N × (1 − ratio)), as MAE counts them (PAPER.md §2), and at least one. */
export function keptTokens(tokens: number, maskRatio: number): number {
  // 196 × (1 − 0.9) is 19.599…; 10 × (1 − 0.9) is 0.999… where 1 is meant, hence the small allowance.
  return Math.max(1, Math.floor(tokens * (1 - maskRatio) + 1e-9));
}
