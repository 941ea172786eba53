/** The kernels of this backend, as tfjs knows them, and what they leave to tfjs's own. */
import * as tf from '@tensorflow/tfjs';
import { kernelsOf, sizeOf } from '../../kernels.js';
import type { SimdBackend } from '../backend.js';

export const BACKEND_NAME = 'simd';

export const defineKernel = kernelsOf<SimdBackend>(BACKEND_NAME);

/** What tfjs's own kernel gives, for types and shapes that ours leaves to it. */
export function stock(
  kernelName: string,
  backend: SimdBackend,
  inputs: Record<string, tf.TensorInfo>,
  attributes: object,
): tf.TensorInfo {
  const kernel = tf.getKernel(kernelName, 'cpu');
  return kernel.kernelFunc({
    inputs,
    backend,
    attrs: attributes as tf.NamedAttrMap,
  }) as tf.TensorInfo;
}

/** Whether a kernel of ours can take these: float32, and not empty. */
export function ours(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype, shape }) => dtype === 'float32' && sizeOf(shape) > 0);
}
