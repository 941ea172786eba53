/** The operations a Vision Transformer needs, each with a plain tfjs form and a kernel name for fused ones. */
export { adamW, type AdamWSlot, type AdamWStep } from './adamw.js';
export { attention } from './attention.js';
export { layerNorm } from './layer-norm.js';
export { linear, type LinearEpilogue } from './linear.js';
export { softmaxCrossEntropy, tokenSquaredError } from './losses.js';
export { patchify, unpatchify } from './patches.js';
export { resample } from './resample.js';
export { gatherTokens, restoreTokens, tokenSelection, type TokenSelection } from './tokens.js';
