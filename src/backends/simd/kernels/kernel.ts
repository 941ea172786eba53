/** How a kernel of this backend is made known to tfjs. */
import * as tf from '@tensorflow/tfjs';
import type { SimdBackend } from '../backend.js';

export const BACKEND_NAME = 'simd';

type Inputs = Record<string, tf.TensorInfo>;

/** Computes outputs from inputs, which have the names and attributes the kernel's caller gives them. */
type Run<Attributes> = (
  backend: SimdBackend,
  inputs: Inputs,
  attributes: Attributes,
) => tf.TensorInfo | tf.TensorInfo[];

export function defineKernel<Attributes extends object = object>(
  kernelName: string,
  run: Run<Attributes>,
): tf.KernelConfig {
  return {
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, backend, attrs }) =>
      run(backend as unknown as SimdBackend, inputs as Inputs, (attrs ?? {}) as Attributes),
  };
}

/** What tfjs's own kernel gives, for types and shapes that ours leaves to it. */
export function stock(kernelName: string, backend: SimdBackend, inputs: Inputs, attributes: object): tf.TensorInfo {
  const kernel = tf.getKernel(kernelName, 'cpu');
  return kernel.kernelFunc({
    inputs,
    backend,
    attrs: attributes as tf.NamedAttrMap,
  }) as tf.TensorInfo;
}

/** Number of values of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Whether a kernel of ours can take these: float32, and not empty. */
export function ours(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype, shape }) => dtype === 'float32' && sizeOf(shape) > 0);
}
