/**
 * Sums of two tensors of the same shape, for example of the gradients of a tensor that was used twice. The pass also
 * finds the largest values, for a later pass that rounds the sums. tfjs's own kernel computes all other sums.
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu'; // registers the stock kernel
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, definePass, scalars } from '../pass.js';
import { largestParts, partsFor } from '../passes/largest.js';
import { BACKEND_NAME } from './kernel.js';

/** For at least this many values, a separate pass that finds the largest would cost more than finding it here. */
const LARGE = 2 ** 16;

export function addKernel(): tf.KernelConfig {
  const stock = tf.getKernel('Add', BACKEND_NAME);
  return {
    ...stock,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as unknown as { a: tf.TensorInfo; b: tf.TensorInfo };
      const large = sizeOf(a.shape) >= LARGE && a.dtype === 'float32' && b.dtype === 'float32';
      const alike = tf.util.arraysEqual(a.shape, b.shape);
      return large && alike ? add(call.backend as unknown as VitBackend, a, b) : stock.kernelFunc(call);
    },
  };
}

const addPass = definePass<{ size: number }, 'a' | 'b', 'y' | 'parts'>('add', ({ size }, { a, b }) =>
  largestParts(size / a.lanes, a.lanes, {
    value: `${computedType(a)}(a[i]) + ${computedType(b)}(b[i])`,
    also: 'y[i] = value;',
  }),
);

function add(backend: VitBackend, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const y = backend.output(a.shape);
  const size = sizeOf(a.shape);
  const left = backend.asStored(a, size);
  const parts = partsFor(backend, size / left.lanes);
  const writes = { y: backend.asStored(y, size), parts: scalars(parts) };
  backend.run(addPass({ size }, { a: left, b: backend.asStored(b, size) }, writes));
  backend.notes.noteLargest(y, parts);
  return y;
}
