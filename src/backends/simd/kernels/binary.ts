/** tfjs's binary operations, with broadcasting. */
import * as tf from '@tensorflow/tfjs';
import type { Four } from '../records.js';
import { cut } from '../tasks/chunks.js';
import type { BinaryOperation } from '../tasks/elementwise.js';
import { defineKernel, ours, stock } from './kernel.js';

/** An axis of the output, or several joined ones, and which operands run along it; the others are broadcast. */
interface Axis {
  size: number;
  a: boolean;
  b: boolean;
}

const MOST_AXES = 4;

/** Joins neighbouring axes if each operand runs along both or is broadcast over both. Drops axes of size 1. */
function joinedAxes(shape: readonly number[], aShape: readonly number[], bShape: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const along = (operand: readonly number[]): boolean => (operand[i - shape.length + operand.length] ?? 1) > 1;
    const axis = { size, a: along(aShape), b: along(bShape) };
    const last = axes.at(-1);
    if (last?.a === axis.a && last.b === axis.b) last.size *= size;
    else axes.push(axis);
  });
  return axes;
}

/** Floats from one value to the next along each of four axes, 0 if the operand is broadcast. */
function stridesOf(axes: readonly Axis[], operand: 'a' | 'b'): Four {
  let stride = 1;
  const strides = axes
    .toReversed()
    .map((axis) => {
      if (!axis[operand]) return 0;
      const own = stride;
      stride *= axis.size;
      return own;
    })
    .reverse();
  return strides as unknown as Four;
}

const kernel = (name: string, operation: BinaryOperation): tf.KernelConfig =>
  defineKernel(name, (backend, inputs, attributes) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    if (!ours(a, b)) return stock(name, backend, inputs, attributes);
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const axes = joinedAxes(shape, a.shape, b.shape);
    if (axes.length > MOST_AXES) return stock(name, backend, inputs, attributes);
    while (axes.length < MOST_AXES) axes.unshift({ size: 1, a: false, b: false });

    const out = backend.output(shape);
    const sizes = axes.map(({ size }) => size) as unknown as Four;
    const { axis, size, chunks } = cut(sizes);
    backend.run('binary', chunks, {
      operation,
      a: backend.address(a),
      b: backend.address(b),
      out: backend.address(out),
      sizes,
      aStrides: stridesOf(axes, 'a'),
      bStrides: stridesOf(axes, 'b'),
      axis,
      size,
    });
    return out;
  });

export const binaryKernels = [
  kernel('Add', 'add'),
  kernel('Sub', 'subtract'),
  kernel('Multiply', 'multiply'),
  kernel('RealDiv', 'divide'),
  kernel('Maximum', 'maximum'),
  kernel('Minimum', 'minimum'),
];
