/** Cast. tfjs's kernel reuses the memory for a wider type; this backend would read it as values of the wrong type. */
import * as tf from '@tensorflow/tfjs';
import { defineKernel, stock } from './kernel.js';

export const cast = defineKernel<{ dtype: tf.DataType }>('Cast', (backend, { x }, { dtype }) => {
  if (x!.dtype === dtype && dtype === 'float32') return backend.shared(x!);
  const widened = x!.dtype !== dtype && (x!.dtype === 'int32' || x!.dtype === 'bool');
  if (!widened || (dtype !== 'float32' && dtype !== 'int32')) return stock('Cast', backend, { x: x! }, { dtype });
  backend.refuseRecording();
  return backend.makeTensorInfo(x!.shape, dtype, backend.values(x!).slice());
});
