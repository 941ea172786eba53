/** A model that is small enough for the plain JavaScript backend. */
import type { ModelConfig } from '../../src/spec/model.js';

/** 16 tokens of 48 values. */
export const TINY: ModelConfig = {
  imageSize: 16,
  patchSize: 4,
  dim: 8,
  depth: 2,
  heads: 2,
  mlpRatio: 2,
  positions: 'sincos-1d',
  classToken: false,
  qkvBias: 'qv',
  pooling: 'mean',
  init: 'truncated-normal-narrow',
  decoder: { dim: 4, depth: 1, heads: 1 },
};
