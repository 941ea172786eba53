/** All kernels of this backend. tfjs's stock WebGPU kernels are used for all other operations. */
import * as tf from '@tensorflow/tfjs';
import { accumulate } from './accumulate.js';
import { addKernel } from './add.js';
import { adamW } from './adamw.js';
import { attention, attentionGradient } from './attention.js';
import { mixColours } from './colours.js';
import { convolveEach } from './convolve.js';
import { crop } from './crop.js';
import { pickPixels, pullPixels } from './geometry.js';
import { BACKEND_NAME } from './kernel.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { linear, linearGradient } from './linear.js';
import { halfLinear, halfLinearGradient } from './linear-half.js';
import { softmaxCrossEntropy, softmaxCrossEntropyGradient, squaredError, squaredErrorGradient } from './losses.js';
import { meanTokens, meanTokensGradient } from './mean-tokens.js';
import { normalizePatches } from './normalize-patches.js';
import { patchKernels } from './patches.js';
import { qkvBias, qkvBiasGradient } from './qkv-bias.js';
import { resampleKernels } from './resample.js';
import { sumOfSquares } from './sum-of-squares.js';
import { gatherTokens, gatherTokensGradient, restoreTokens, restoreTokensGradient } from './tokens.js';

const KERNELS: readonly tf.KernelConfig[] = [
  accumulate,
  adamW,
  attention,
  attentionGradient,
  convolveEach,
  crop,
  gatherTokens,
  gatherTokensGradient,
  layerNorm,
  layerNormGradient,
  linear,
  linearGradient,
  meanTokens,
  meanTokensGradient,
  mixColours,
  normalizePatches,
  ...patchKernels,
  pickPixels,
  pullPixels,
  qkvBias,
  qkvBiasGradient,
  ...resampleKernels,
  restoreTokens,
  restoreTokensGradient,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  squaredError,
  squaredErrorGradient,
  sumOfSquares,
];

/** For devices with the feature `shader-f16`. */
const HALF_KERNELS: readonly tf.KernelConfig[] = [halfLinear, halfLinearGradient];

/** Registers the kernels. To be called once in a process, which has one such device. */
export function registerKernels(features: Pick<ReadonlySet<string>, 'has'>): void {
  for (const kernel of [...KERNELS, ...(features.has('shader-f16') ? HALF_KERNELS : [])]) tf.registerKernel(kernel);
  const add = addKernel();
  tf.unregisterKernel(add.kernelName, BACKEND_NAME); // tfjs warns of a second kernel of one name
  tf.registerKernel(add);
}
