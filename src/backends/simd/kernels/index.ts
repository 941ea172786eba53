/** All kernels of this backend. tfjs's stock CPU kernels are used for all other operations. */
import * as tf from '@tensorflow/tfjs';
import type { SimdBackend } from '../backend.js';
import { accumulate, sumOfSquares } from './sums.js';
import { adamW } from './adamw.js';
import { attention, attentionGradient } from './attention.js';
import { binaryKernels } from './binary.js';
import { cast } from './cast.js';
import { copyKernels } from './copies.js';
import { BACKEND_NAME } from './kernel.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { linear, linearGradient } from './linear.js';
import { linearBfloat16, linearGradientBfloat16 } from './linear-bfloat16.js';
import { matMulKernels } from './matmul.js';
import { reduceKernels } from './reduce.js';
import { resampleKernels } from './resample.js';
import { softmaxCrossEntropy, softmaxCrossEntropyGradient, squaredError, squaredErrorGradient } from './losses.js';
import { gatherTokens, gatherTokensGradient, restoreTokens, restoreTokensGradient } from './tokens.js';
import { unaryKernels } from './unary.js';

const KERNELS: readonly tf.KernelConfig[] = [
  ...binaryKernels,
  ...copyKernels,
  ...matMulKernels,
  ...reduceKernels,
  ...resampleKernels,
  ...unaryKernels,
  accumulate,
  adamW,
  attention,
  attentionGradient,
  cast,
  gatherTokens,
  gatherTokensGradient,
  layerNorm,
  layerNormGradient,
  linear,
  linearBfloat16,
  linearGradient,
  linearGradientBfloat16,
  restoreTokens,
  restoreTokensGradient,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  squaredError,
  squaredErrorGradient,
  sumOfSquares,
];

/** Registers these kernels, and tfjs's own for the rest. To be called once in a process. */
export function registerKernels(): void {
  const ours = new Set(KERNELS.map(({ kernelName }) => kernelName));
  const stock = tf.getKernelsForBackend('cpu').filter(({ kernelName }) => !ours.has(kernelName));
  for (const kernel of [...stock.map(unrecorded), ...KERNELS]) {
    tf.registerKernel({ ...kernel, backendName: BACKEND_NAME });
  }
}

/** Kernels of tfjs that give the same values another name or shape. In a repeated step nothing has to be done for them. */
const FREE = new Set(['ExpandDims', 'Identity', 'Reshape']);

/** A kernel of tfjs. A step in which it computes values cannot be recorded. */
function unrecorded(kernel: tf.KernelConfig): tf.KernelConfig {
  if (FREE.has(kernel.kernelName)) return kernel;
  return {
    ...kernel,
    kernelFunc: (parameters) => {
      (parameters.backend as SimdBackend).refuseRecording();
      return kernel.kernelFunc(parameters);
    },
  };
}
