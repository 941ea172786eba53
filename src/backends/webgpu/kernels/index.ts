/** All kernels of this backend; what is not here runs as tfjs's stock WebGPU kernel. */
import * as tf from '@tensorflow/tfjs';
import { adamW } from './adamw.js';
import { attention, attentionGradient } from './attention.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { linear, linearGradient } from './linear.js';
import { softmaxCrossEntropy, softmaxCrossEntropyGradient, squaredError, squaredErrorGradient } from './losses.js';
import { patchKernels } from './patches.js';
import { resampleKernels } from './resample.js';
import { gatherTokens, gatherTokensGradient, restoreTokens, restoreTokensGradient } from './tokens.js';

const KERNELS: readonly tf.KernelConfig[] = [
  adamW,
  attention,
  attentionGradient,
  gatherTokens,
  gatherTokensGradient,
  layerNorm,
  layerNormGradient,
  linear,
  linearGradient,
  ...patchKernels,
  ...resampleKernels,
  restoreTokens,
  restoreTokensGradient,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  squaredError,
  squaredErrorGradient,
];

/** Registers them. Once in a process. */
export function registerKernels(): void {
  KERNELS.forEach((kernel) => {
    tf.registerKernel(kernel);
  });
}
