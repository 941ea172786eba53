/** The losses and their gradients: src/ops/losses.ts says what they are. */
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
    const { kernels } = backend;
    const addresses = [backend.address(prediction!), backend.address(target!), backend.address(weights!)] as const;
    const total = kernels.squaredError(...addresses, rows, sizeOf(prediction!.shape) / rows);
    return scalar(backend, total / kernels.sum(addresses[2], rows));
  },
);

export const squaredErrorGradient = defineKernel(
  'VitSquaredErrorGrad',
  (backend, { dy, input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const values = sizeOf(prediction!.shape) / rows;
    const out = backend.output(prediction!.shape);
    const by = backend.address(weights!);
    const factor = (2 * backend.values(dy!)[0]!) / values / backend.kernels.sum(by, rows);
    const chunkRows = rowsOfChunk(rows, values);
    const [from, to] = [backend.address(prediction!), backend.address(out)];
    const chunks = Math.ceil(rows / chunkRows);
    backend.run(
      'squaredErrorGradient',
      chunks,
      from,
      backend.address(target!),
      by,
      to,
      rows,
      values,
      factor,
      chunkRows,
    );
    return out;
  },
);

export const softmaxCrossEntropy = defineKernel(
  'VitSoftmaxCrossEntropy',
  (backend, { input0: logits, constant0: target }) => {
    const [rows, classes] = logits!.shape as [number, number];
    const logProbabilities = backend.output(logits!.shape);
    const addresses = [logits!, target!, logProbabilities].map((tensor) => backend.address(tensor));
    const total = backend.kernels.crossEntropy(...addresses, rows, classes);
    return [scalar(backend, total / rows), logProbabilities];
  },
);

export const softmaxCrossEntropyGradient = defineKernel(
  'VitSoftmaxCrossEntropyGrad',
  (backend, { dy, input0: logits, constant0: target, saved0: logProbabilities }) => {
    const out = backend.output(logits!.shape);
    const addresses = [logProbabilities!, target!, out].map((tensor) => backend.address(tensor));
    const factor = backend.values(dy!)[0]! / logits!.shape[0]!;
    backend.kernels.crossEntropyGradient(...addresses, sizeOf(out.shape), factor);
    return out;
  },
);
