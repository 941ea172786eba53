/** Defines kernels of this backend, and calls tfjs's own kernels for the cases that they do not cover. */
import * as tf from '@tensorflow/tfjs';
import { kernelsOf, sizeOf } from '../../kernels.js';
import type { SimdBackend } from '../backend.js';

export const BACKEND_NAME = 'simd';

export const defineKernel = kernelsOf<SimdBackend>(BACKEND_NAME);

/** The result of tfjs's own kernel, for types and shapes that our kernel does not support. */
export function stock(
  kernelName: string,
  backend: SimdBackend,
  inputs: Record<string, tf.TensorInfo>,
  attributes: object,
): tf.TensorInfo {
  const kernel = tf.getKernel(kernelName, 'cpu');
  backend.refuseRecording();
  return kernel.kernelFunc({
    inputs,
    backend,
    attrs: attributes as tf.NamedAttrMap,
  }) as tf.TensorInfo;
}

/** Whether our kernels support these tensors: float32, and not empty. */
export function ours(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype, shape }) => dtype === 'float32' && sizeOf(shape) > 0);
}
