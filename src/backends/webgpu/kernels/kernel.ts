/** How a kernel of this backend is made known to tfjs, and what the kernels share. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';

export const BACKEND_NAME = 'webgpu';

type Inputs = Record<string, tf.TensorInfo>;

/** Computes outputs from inputs, which have the names and attributes the kernel's caller gives them. */
type Run<Attributes> = (backend: VitBackend, inputs: Inputs, attributes: Attributes) => tf.TensorInfo | tf.TensorInfo[];

export function defineKernel<Attributes extends object = object>(
  kernelName: string,
  run: Run<Attributes>,
): tf.KernelConfig {
  return {
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, backend, attrs }) =>
      run(backend as unknown as VitBackend, inputs as Inputs, (attrs ?? {}) as Attributes),
  };
}
