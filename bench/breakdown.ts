/**
 * Where the time of a step goes: every kernel of the active backend, timed at its door, beside the least it could take.
 * For devices that compute at once.
 */
import * as tf from '@tensorflow/tfjs';

export interface KernelTime {
  kernel: string;
  calls: number;
  milliseconds: number;
  /** Its multiplications at the rate of a large product, or its tensors at the speed of memory, whichever takes longer. */
  floor: number;
}

/** What this machine does at best, measured. */
interface Rates {
  flopsPerMs: number;
  bytesPerMs: number;
}

/** Times every kernel from now on. */
export function timeKernels(): { read: () => KernelTime[]; reset: () => void } {
  const rates = measureRates();
  const times = new Map<string, KernelTime>();
  const backendName = tf.getBackend();
  for (const kernel of tf.getKernelsForBackend(backendName)) {
    const { kernelName } = kernel;
    tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      ...kernel,
      kernelFunc(parameters) {
        const begin = performance.now();
        const outputs = kernel.kernelFunc(parameters);
        const spent = performance.now() - begin;
        const time = times.get(kernelName) ?? { kernel: kernelName, calls: 0, milliseconds: 0, floor: 0 };
        time.calls += 1;
        time.milliseconds += spent;
        time.floor += floorOf(kernelName, parameters.inputs, [outputs].flat(), rates);
        times.set(kernelName, time);
        return outputs;
      },
    });
  }
  return {
    read: () => [...times.values()].sort((a, b) => b.milliseconds - a.milliseconds),
    reset: () => {
      times.clear();
    },
  };
}

const sizeOf = ({ shape }: tf.TensorInfo): number => shape.reduce((a, b) => a * b, 1);

/** Kernels that only give a tensor another shape or name. */
const FREE = new Set(['Reshape', 'Identity']);

function floorOf(
  kernel: string,
  inputs: tf.NamedTensorInfoMap,
  outputs: readonly tf.TensorInfo[],
  { flopsPerMs, bytesPerMs }: Rates,
): number {
  if (FREE.has(kernel)) return 0;
  // a kernel that takes an optional input may find it undefined
  const given = Object.values<tf.TensorInfo | undefined>(inputs);
  const tensors = [...given, ...outputs].filter((tensor) => tensor !== undefined);
  const bytes = 4 * tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0);
  return Math.max(flopsOf(kernel, inputs) / flopsPerMs, bytes / bytesPerMs);
}

/** Of the products alone. */
function flopsOf(kernel: string, inputs: tf.NamedTensorInfoMap): number {
  const linear = (): number => 2 * sizeOf(inputs.input0!) * inputs.input1!.shape[1]!;
  // qkv [batch, tokens, 3·dim]: batch·tokens²·dim for each of the products
  const attention = (): number => (2 * sizeOf(inputs.input0!) * inputs.input0!.shape[1]!) / 3;
  switch (kernel) {
    case 'VitLinear':
      return linear();
    case 'VitLinearGrad':
      return 2 * linear();
    case 'VitAttention':
      return 2 * attention();
    case 'VitAttentionGrad':
      return 4 * attention(); // the scores could be kept
    default:
      return 0;
  }
}

function measureRates(): Rates {
  const side = 1024;
  const length = 2 ** 23;
  return tf.tidy(() => {
    const matrix = tf.ones([side, side]);
    const vector = tf.ones([length]);
    const product = best(() => tf.matMul(matrix, matrix));
    const sum = best(() => tf.add(vector, vector));
    return { flopsPerMs: (2 * side ** 3) / product, bytesPerMs: (4 * 3 * length) / sum };
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
