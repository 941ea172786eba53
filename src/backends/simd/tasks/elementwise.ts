/** Operations element by element, with broadcasting. */
import { offset } from '../address.js';
import { address, four, number, oneOf } from '../records.js';
import { span } from './chunks.js';
import { innerSize } from './copy.js';
import { defineTask } from './task.js';

const BINARY = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'] as const;
export type BinaryOperation = (typeof BINARY)[number];

const UNARY = ['negate', 'square', 'squareRoot', 'inverseSquareRoot', 'exponential', 'absolute'] as const;
export type UnaryOperation = (typeof UNARY)[number];

/**
 * A chunk of a binary operation over four axes. An operand's strides count floats and are 0 along axes that it is
 * broadcast over; along the last axis they are 1 or 0. The chunk is `size` positions of the axis numbered `axis`; all
 * axes before it have size 1.
 */
export const binary = defineTask(
  {
    operation: oneOf(BINARY),
    a: address,
    b: address,
    out: address,
    sizes: four,
    aStrides: four,
    bStrides: four,
    axis: number,
    size: number,
  },
  ({ kernels }, chunk, { operation, a, b, out, sizes, aStrides, bStrides, axis, size }) => {
    const { first, count } = span(chunk, size, sizes[axis]!);
    const [n0, n1, rows, columns] = sizes.with(axis, count) as [number, number, number, number];
    const [a0, a1, aRow, aStep] = aStrides;
    const [b0, b1, bRow, bStep] = bStrides;
    const fromA = offset(a, first * aStrides[axis]!);
    const fromB = offset(b, first * bStrides[axis]!);
    // One record for all calls: with short rows there are many.
    const values = {
      a: fromA,
      b: fromB,
      out: offset(out, first * innerSize(sizes, axis)),
      rows,
      columns,
      aRow,
      bRow,
      aStep,
      bStep,
    };
    for (let i = 0; i < n0; i++) {
      for (let j = 0; j < n1; j++) {
        values.a = offset(fromA, i * a0 + j * a1);
        values.b = offset(fromB, i * b0 + j * b1);
        kernels[operation](values);
        values.out = offset(values.out, rows * columns);
      }
    }
  },
);

/** A chunk of a unary operation on `total` values. */
export const unary = defineTask(
  { operation: oneOf(UNARY), x: address, out: address, total: number, size: number },
  ({ kernels }, chunk, { operation, x, out, total, size }) => {
    const { first, count } = span(chunk, size, total);
    kernels[operation]({ x: offset(x, first), out: offset(out, first), count });
  },
);

/** A chunk of values clipped to two bounds. */
export const clip = defineTask(
  { x: address, out: address, total: number, low: number, high: number, size: number },
  ({ kernels }, chunk, { x, out, total, low, high, size }) => {
    const { first, count } = span(chunk, size, total);
    kernels.clip({ x: offset(x, first), out: offset(out, first), count, low, high });
  },
);

/** A chunk of `total` equal values. */
export const fill = defineTask(
  { out: address, total: number, value: number, size: number },
  ({ kernels }, chunk, { out, total, value, size }) => {
    const { first, count } = span(chunk, size, total);
    kernels.fill({ out: offset(out, first), count, value });
  },
);
