/** Products of batches of matrices, and softmax over the last axis. */
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import { rowsOfChunk, rowsOfProduct } from '../tasks/chunks.js';
import { defineKernel, ours, stock } from './kernel.js';

interface MatMulAttributes {
  transposeA: boolean;
  transposeB: boolean;
}

const batchMatMul = defineKernel<MatMulAttributes>('BatchMatMul', (backend, inputs, attributes) => {
  const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
  const { transposeA, transposeB } = attributes;
  const [aBatch, bBatch] = [a, b].map(({ shape }) => sizeOf(shape.slice(0, -2))) as [number, number];
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [n, kOfB] = transposeB ? [bRows, bColumns] : [bColumns, bRows];
  const sameBatch = a.shape.slice(0, -2).join() === b.shape.slice(0, -2).join();
  if (!ours(a, b) || k !== kOfB || !(sameBatch || aBatch === 1 || bBatch === 1)) {
    return stock('BatchMatMul', backend, inputs, attributes);
  }
  const batchShape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const out = backend.output([...batchShape, m, n]);
  const chunkRows = rowsOfProduct(m);
  const chunks = Math.ceil(m / chunkRows);
  backend.run('matMul', sizeOf(batchShape) * chunks, {
    a: backend.address(a),
    b: backend.address(b),
    out: backend.address(out),
    transposeA,
    transposeB,
    m,
    n,
    k,
    aBatch: aBatch === 1 ? 0 : m * k,
    bBatch: bBatch === 1 ? 0 : k * n,
    chunks,
    chunkRows,
  });
  return out;
});

const softmax = defineKernel<{ dim: number }>('Softmax', (backend, inputs, attributes) => {
  const x = inputs.logits!;
  if (!ours(x) || attributes.dim !== x.shape.length - 1) return stock('Softmax', backend, inputs, attributes);
  const out = backend.output(x.shape);
  const columns = x.shape.at(-1)!;
  const rows = sizeOf(x.shape) / columns;
  const chunkRows = rowsOfChunk(rows, columns);
  backend.run('softmax', Math.ceil(rows / chunkRows), {
    x: backend.address(x),
    out: backend.address(out),
    rows,
    columns,
    chunkRows,
  });
  return out;
});

export const matMulKernels = [batchMatMul, softmax];
