/**
 * Sums of two tensors of one shape, as gradients meet where a tensor has gone two ways: how large the sums are is noted on
 * the way, for whoever rounds them next. All other sums are left to tfjs's own kernel.
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu'; // brings the stock kernel
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, scalars } from '../pass.js';
import { partsOf } from '../passes/largest.js';
import { BACKEND_NAME } from './kernel.js';

/** Values from which a look at them all costs more than a note. */
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

function add(backend: VitBackend, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const y = backend.output(a.shape);
  const size = sizeOf(a.shape);
  const [left, right] = [backend.asStored(a, size), backend.asStored(b, size)];
  const { parts, ...pass } = partsOf(backend, size / left.lanes, left.lanes, {
    value: `${computedType(left)}(a[i]) + ${computedType(right)}(b[i])`,
    also: 'y[i] = value;',
  });
  backend.run({
    name: 'add',
    sizes: { size },
    reads: { a: left, b: right },
    writes: { y: backend.asStored(y, size), parts: scalars(parts) },
    ...pass,
  });
  backend.notes.noteLargest(y, parts);
  return y;
}
