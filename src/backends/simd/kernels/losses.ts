/** The losses and their gradients: src/ops/losses.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { SimdBackend } from '../backend.js';
import { rowsOfChunk } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

function scalar(backend: SimdBackend, value: number): TensorInfo {
  const out = backend.output([]);
  backend.values(out)[0] = value;
  return out;
}

export const squaredError = defineKernel(
  'VitSquaredError',
  (backend, { input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const by = backend.address(weights!);
    const total = backend.kernels.squaredError({
      prediction: backend.address(prediction!),
      target: backend.address(target!),
      weights: by,
      rows,
      values: sizeOf(prediction!.shape) / rows,
    });
    return scalar(backend, total / backend.kernels.sum({ x: by, count: rows }));
  },
);

export const squaredErrorGradient = defineKernel(
  'VitSquaredErrorGrad',
  (backend, { dy, input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const values = sizeOf(prediction!.shape) / rows;
    const out = backend.output(prediction!.shape);
    const by = backend.address(weights!);
    const factor = (2 * backend.values(dy!)[0]!) / values / backend.kernels.sum({ x: by, count: rows });
    const chunkRows = rowsOfChunk(rows, values);
    backend.run('squaredErrorGradient', Math.ceil(rows / chunkRows), {
      prediction: backend.address(prediction!),
      target: backend.address(target!),
      weights: by,
      out: backend.address(out),
      rows,
      values,
      factor,
      chunkRows,
    });
    return out;
  },
);

export const softmaxCrossEntropy = defineKernel(
  'VitSoftmaxCrossEntropy',
  (backend, { input0: logits, constant0: target }) => {
    const [rows, classes] = logits!.shape as [number, number];
    const logProbabilities = backend.output(logits!.shape);
    const total = backend.kernels.crossEntropy({
      logits: backend.address(logits!),
      target: backend.address(target!),
      logProbabilities: backend.address(logProbabilities),
      rows,
      classes,
    });
    return [scalar(backend, total / rows), logProbabilities];
  },
);

export const softmaxCrossEntropyGradient = defineKernel(
  'VitSoftmaxCrossEntropyGrad',
  (backend, { dy, input0: logits, constant0: target, saved0: logProbabilities }) => {
    const out = backend.output(logits!.shape);
    backend.kernels.crossEntropyGradient({
      logProbabilities: backend.address(logProbabilities!),
      target: backend.address(target!),
      out: backend.address(out),
      count: sizeOf(out.shape),
      factor: backend.values(dy!)[0]! / logits!.shape[0]!,
    });
    return out;
  },
);
