/** The operations a Vision Transformer needs, each with a plain tfjs form and a kernel name for fused ones. */
export { accumulate } from './accumulate.js';
export { adamW, adamWRates, type AdamWSlot, type AdamWStep } from './adamw.js';
export { attention } from './attention.js';
export { composeColours, DENORMALIZE, mixColours, NORMALIZE, type ColourMap } from './colours.js';
export { convolveEach } from './convolve-each.js';
export { cropViews, hasCropKernel } from './crop.js';
export { layerNorm } from './layer-norm.js';
export { hasHalfProducts, linear, type LinearEpilogue, type Precision } from './linear.js';
export { softmaxCrossEntropy, tokenSquaredError } from './losses.js';
export { meanTokens } from './mean-tokens.js';
export { denormalizePatches, normalizePatches } from './normalize-patches.js';
export { patchify, unpatchify } from './patches.js';
export { pickPixels } from './pick-pixels.js';
export { pullPixels } from './pull-pixels.js';
export { qkvBias } from './qkv-bias.js';
export { Repeated } from './repeat.js';
export { resample } from './resample.js';
export { gatherTokens, restoreTokens, tokenSelection, type TokenSelection } from './tokens.js';
