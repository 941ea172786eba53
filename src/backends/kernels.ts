/** How vitmim's own backends define kernels for tfjs. */
import type * as tf from '@tensorflow/tfjs';

type Inputs = Record<string, tf.TensorInfo>;

/** Computes outputs from inputs. The names of the inputs and the attributes are those of the kernel's caller. */
type Run<Backend, Attributes> = (
  backend: Backend,
  inputs: Inputs,
  attributes: Attributes,
) => tf.TensorInfo | tf.TensorInfo[];

/** @returns A function that defines kernels of the backend of that name. */
export function kernelsOf<Backend>(backendName: string) {
  return <Attributes extends object = object>(kernelName: string, run: Run<Backend, Attributes>): tf.KernelConfig => ({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) =>
      run(backend as unknown as Backend, inputs as Inputs, (attrs ?? {}) as Attributes),
  });
}

/** Number of values in a tensor of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
