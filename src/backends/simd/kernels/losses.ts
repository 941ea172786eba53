/** The losses and their gradients: src/ops/losses.ts describes them. */
import { sizeOf } from '../../kernels.js';
import { rowsOfChunk } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

export const squaredError = defineKernel(
  'VitSquaredError',
  (backend, { input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const out = backend.output([]);
    const value = backend.values(out);
    const values = sizeOf(prediction!.shape) / rows;
    const [from, to, by] = [backend.address(prediction!), backend.address(target!), backend.address(weights!)];
    backend.perform(({ kernels }) => {
      const total = kernels.squaredError({ prediction: from, target: to, weights: by, rows, values });
      value[0] = total / kernels.sum({ x: by, count: rows });
    });
    return out;
  },
);

export const squaredErrorGradient = defineKernel(
  'VitSquaredErrorGrad',
  (backend, { dy, input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const values = sizeOf(prediction!.shape) / rows;
    const out = backend.output(prediction!.shape);
    const gradient = backend.values(dy!);
    const by = backend.address(weights!);
    const chunkRows = rowsOfChunk(rows, values);
    const sizes = { rows, values, chunkRows };
    const addresses = {
      prediction: backend.address(prediction!),
      target: backend.address(target!),
      weights: by,
      out: backend.address(out),
    };
    backend.perform((threads) => {
      const factor = (2 * gradient[0]!) / values / threads.kernels.sum({ x: by, count: rows });
      threads.run('squaredErrorGradient', Math.ceil(rows / chunkRows), { ...addresses, ...sizes, factor });
    });
    return out;
  },
);

export const softmaxCrossEntropy = defineKernel(
  'VitSoftmaxCrossEntropy',
  (backend, { input0: logits, constant0: target }) => {
    const [rows, classes] = logits!.shape as [number, number];
    const logProbabilities = backend.output(logits!.shape);
    const out = backend.output([]);
    const value = backend.values(out);
    const addresses = {
      logits: backend.address(logits!),
      target: backend.address(target!),
      logProbabilities: backend.address(logProbabilities),
    };
    backend.perform(({ kernels }) => {
      value[0] = kernels.crossEntropy({ ...addresses, rows, classes }) / rows;
    });
    return [out, logProbabilities];
  },
);

export const softmaxCrossEntropyGradient = defineKernel(
  'VitSoftmaxCrossEntropyGrad',
  (backend, { dy, input0: logits, constant0: target, saved0: logProbabilities }) => {
    const out = backend.output(logits!.shape);
    const gradient = backend.values(dy!);
    const addresses = {
      logProbabilities: backend.address(logProbabilities!),
      target: backend.address(target!),
      out: backend.address(out),
    };
    const [rows, count] = [logits!.shape[0]!, sizeOf(out.shape)];
    backend.perform(({ kernels }) => {
      kernels.crossEntropyGradient({ ...addresses, count, factor: gradient[0]! / rows });
    });
    return out;
  },
);
