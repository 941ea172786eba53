/** VitResample and its gradient: src/ops/resample.ts describes them. */
import type * as tf from '@tensorflow/tfjs';
import type { SimdBackend } from '../backend.js';
import { resampleScratch } from '../tasks/resample.js';
import { defineKernel } from './kernel.js';

function resampled(
  backend: SimdBackend,
  x: tf.TensorInfo,
  [rows, columns]: readonly [tf.TensorInfo, tf.TensorInfo],
  direction: 'forward' | 'backward',
): tf.TensorInfo {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const [rowMatrices, outHeight, height] = rows.shape as [number, number, number];
  const [columnMatrices, outWidth, width] = columns.shape as [number, number, number];
  const backward = direction === 'backward';
  const out = backend.output([batch, ...(backward ? [height, width] : [outHeight, outWidth]), channels]);
  const sizes = { height, width, outHeight, outWidth, channels };
  backend.withScratch(backend.threads.size * resampleScratch(sizes), (scratch) => {
    backend.run('resample', batch, {
      x: backend.address(x),
      rows: backend.address(rows),
      columns: backend.address(columns),
      out: backend.address(out),
      scratch,
      height,
      width,
      outHeight,
      outWidth,
      channels,
      rowsBatch: rowMatrices === 1 ? 0 : outHeight * height,
      columnsBatch: columnMatrices === 1 ? 0 : outWidth * width,
      backward,
    });
  });
  return out;
}

export const resampleKernels = [
  defineKernel('VitResample', (backend, { input0: images, constant0: rows, constant1: columns }) =>
    resampled(backend, images!, [rows!, columns!], 'forward'),
  ),
  defineKernel('VitResampleGrad', (backend, { dy, constant0: rows, constant1: columns }) =>
    resampled(backend, dy!, [rows!, columns!], 'backward'),
  ),
];
