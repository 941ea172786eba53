/** Floating-point operations of a forward pass, counted from the sizes: 2 for each multiply-add of a matrix product. */
import { keptTokens, patchCount, type EncoderConfig, type ModelConfig } from '../spec/model.js';

/**
 * A forward pass of pre-training on one image: the encoder over the tokens that masking keeps, the decoder over all but the
 * class token, which it is not given.
 * Norms, softmax, GELU and additions are left out, as counters of models do; a training step is about three times that.
 *
 * @param maskRatio Fraction of the tokens removed, in [0, 1).
 * @returns FLOPs per image.
 */
export function pretrainingFlops(config: ModelConfig, maskRatio: number): number {
  const { dim, mlpRatio, patchSize, decoder } = config;
  const all = patchCount(config);
  const extra = config.classToken ? 1 : 0;
  const kept = maskRatio > 0 ? keptTokens(all, maskRatio) : all;
  return (
    embeddingFlops(config) +
    config.depth * blockFlops(kept + extra, dim, mlpRatio) +
    2 * kept * dim * decoder.dim +
    decoder.depth * blockFlops(all, decoder.dim, mlpRatio) +
    2 * all * decoder.dim * patchSize ** 2 * 3
  );
}

/** A forward pass of the whole encoder on one image, without a head. @returns FLOPs per image. */
export function encoderFlops(config: EncoderConfig): number {
  const tokens = patchCount(config) + (config.classToken ? 1 : 0);
  return embeddingFlops(config) + config.depth * blockFlops(tokens, config.dim, config.mlpRatio);
}

/** Every patch is embedded; masking removes tokens afterwards. */
function embeddingFlops(config: EncoderConfig): number {
  return 2 * patchCount(config) * config.patchSize ** 2 * 3 * config.dim;
}

/** Query, key, value and output projections; scores and their sum of values; the two layers of the MLP. */
function blockFlops(tokens: number, dim: number, mlpRatio: number): number {
  return 2 * (4 * tokens * dim ** 2 + 2 * tokens ** 2 * dim + 2 * tokens * dim * Math.round(dim * mlpRatio));
}
