/**
 * Times every kernel call of the active tfjs backend. Only for synchronous devices: on others a kernel only submits the
 * work and returns.
 */
import * as tf from '@tensorflow/tfjs';
import type { SimdBackend } from '../src/backends/simd/backend.js';
import type { Cost, Rates, Sample } from './floors.js';

/** Times every kernel from now on. `take` returns the samples since its last call. */
export function timeKernels(): { take: () => Sample[] } {
  let samples: Sample[] = [];
  const backendName = tf.getBackend();
  if (backendName === 'simd') (tf.backend() as unknown as SimdBackend).recordsSteps = false;
  for (const kernel of tf.getKernelsForBackend(backendName)) {
    const { kernelName } = kernel;
    tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      ...kernel,
      kernelFunc(parameters) {
        const begin = performance.now();
        const outputs = kernel.kernelFunc(parameters);
        const milliseconds = performance.now() - begin;
        const cost = costOf(kernelName, parameters.inputs, [outputs].flat());
        samples.push({ kernel: kernelName, milliseconds, ...cost });
        return outputs;
      },
    });
  }
  return {
    take() {
      const taken = samples;
      samples = [];
      return taken;
    },
  };
}

const sizeOf = ({ shape }: tf.TensorInfo): number => shape.reduce((a, b) => a * b, 1);

/** Kernels that only change a tensor's shape or name. */
const FREE = new Set(['Reshape', 'Identity']);

function costOf(kernel: string, inputs: tf.NamedTensorInfoMap, outputs: readonly tf.TensorInfo[]): Cost {
  if (FREE.has(kernel)) return { bytes: 0, flops: 0 };
  // an optional input of a kernel may be undefined
  const given = Object.values<tf.TensorInfo | undefined>(inputs);
  const tensors = [...given, ...outputs].filter((tensor) => tensor !== undefined);
  return { bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0), flops: flopsOf(kernel, inputs) };
}

/** Device simd stores some tensors as bfloat16; weights that it keeps in both types are read so by products. */
function bytesOf(tensor: tf.TensorInfo): number {
  const { bfloat16Address } = tf.backend() as unknown as Partial<SimdBackend>;
  const rounded = bfloat16Address?.call(tf.backend(), tensor) !== undefined;
  return (rounded ? 2 : 4) * sizeOf(tensor);
}

/** FLOPs of the products only. */
function flopsOf(kernel: string, inputs: tf.NamedTensorInfoMap): number {
  const linear = (): number => 2 * sizeOf(inputs.input0!) * inputs.input1!.shape[1]!;
  // qkv [batch, tokens, 3·dim]: batch·tokens²·dim for each of the products
  const attention = (): number => (2 * sizeOf(inputs.input0!) * inputs.input0!.shape[1]!) / 3;
  switch (kernel) {
    case 'VitLinear':
    case 'VitLinearBfloat16':
      return linear();
    case 'VitLinearGrad':
    case 'VitLinearBfloat16Grad':
      return 2 * linear();
    case 'VitAttention':
      return 2 * attention();
    case 'VitAttentionGrad':
      return 4 * attention(); // the scores could be kept
    default:
      return 0;
  }
}

/** The highest rates of this machine: of a large product, and of a sum of vectors that no cache holds. */
export function measureRates(): Rates {
  const side = 1024;
  const length = 2 ** 23;
  return tf.tidy(() => {
    const matrix = tf.ones([side, side]);
    const vector = tf.ones([length]);
    const product = best(() => tf.matMul(matrix, matrix));
    const sum = best(() => tf.add(vector, vector));
    return { flopsPerSecond: (2000 * side ** 3) / product, bytesPerSecond: (1000 * 4 * 3 * length) / sum };
  });
}

/** Milliseconds of the fastest of ten calls. */
function best(run: () => tf.Tensor): number {
  const times = Array.from({ length: 10 }, () => {
    const begin = performance.now();
    run().dispose();
    return performance.now() - begin;
  });
  return Math.min(...times);
}
