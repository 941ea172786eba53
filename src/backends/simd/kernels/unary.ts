/** tfjs's unary operations, and tensors of one value. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { SimdBackend } from '../backend.js';
import { CHUNK } from '../tasks/chunks.js';
import type { UnaryOperation } from '../tasks/elementwise.js';
import { defineKernel, ours, stock } from './kernel.js';

const chunksOf = (total: number): number => Math.ceil(total / CHUNK);

const kernel = (name: string, operation: UnaryOperation): tf.KernelConfig =>
  defineKernel(name, (backend, inputs, attributes) => {
    const x = inputs.x!;
    if (!ours(x)) return stock(name, backend, inputs, attributes);
    const out = backend.output(x.shape);
    const total = sizeOf(x.shape);
    backend.run('unary', chunksOf(total), {
      x: backend.address(x),
      out: backend.address(out),
      operation,
      total,
      size: CHUNK,
    });
    return out;
  });

function clipped(backend: SimdBackend, x: tf.TensorInfo, low: number, high: number): tf.TensorInfo {
  const out = backend.output(x.shape);
  const total = sizeOf(x.shape);
  backend.run('clip', chunksOf(total), {
    x: backend.address(x),
    out: backend.address(out),
    low,
    high,
    total,
    size: CHUNK,
  });
  return out;
}

const clip = defineKernel<{ clipValueMin: number; clipValueMax: number }>(
  'ClipByValue',
  (backend, inputs, attributes) => {
    const x = inputs.x!;
    if (!ours(x)) return stock('ClipByValue', backend, inputs, attributes);
    return clipped(backend, x, attributes.clipValueMin, attributes.clipValueMax);
  },
);

/** max(x, 0). NaN stays NaN. */
const relu = defineKernel('Relu', (backend, inputs, attributes) => {
  const x = inputs.x!;
  return ours(x) ? clipped(backend, x, 0, Infinity) : stock('Relu', backend, inputs, attributes);
});

function filled(backend: SimdBackend, shape: readonly number[], value: number): tf.TensorInfo {
  const out = backend.output(shape);
  const total = sizeOf(shape);
  backend.run('fill', chunksOf(total), { out: backend.address(out), total, value, size: CHUNK });
  return out;
}

const fill = defineKernel<{ shape: number[]; value: number | string; dtype?: tf.DataType }>(
  'Fill',
  (backend, inputs, attributes) => {
    const { shape, value, dtype } = attributes;
    if (typeof value !== 'number' || (dtype ?? 'float32') !== 'float32' || sizeOf(shape) === 0) {
      return stock('Fill', backend, inputs, attributes);
    }
    return filled(backend, shape, value);
  },
);

const zerosLike = defineKernel('ZerosLike', (backend, inputs, attributes) => {
  const x = inputs.x!;
  return ours(x) ? filled(backend, x.shape, 0) : stock('ZerosLike', backend, inputs, attributes);
});

export const unaryKernels = [
  kernel('Neg', 'negate'),
  kernel('Square', 'square'),
  kernel('Sqrt', 'squareRoot'),
  kernel('Rsqrt', 'inverseSquareRoot'),
  kernel('Exp', 'exponential'),
  kernel('Abs', 'absolute'),
  clip,
  fill,
  relu,
  zerosLike,
];
