/** How the backends of our own make kernels known to tfjs. */
import type * as tf from '@tensorflow/tfjs';

type Inputs = Record<string, tf.TensorInfo>;

/** Computes outputs from inputs, which have the names and attributes the kernel's caller gives them. */
type Run<Backend, Attributes> = (
  backend: Backend,
  inputs: Inputs,
  attributes: Attributes,
) => tf.TensorInfo | tf.TensorInfo[];

/** @returns Makes the kernels of the backend of that name. */
export function kernelsOf<Backend>(backendName: string) {
  return <Attributes extends object = object>(kernelName: string, run: Run<Backend, Attributes>): tf.KernelConfig => ({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) =>
      run(backend as unknown as Backend, inputs as Inputs, (attrs ?? {}) as Attributes),
  });
}

/** Number of values of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
