/** Operations element by element, with broadcasting. */
import type { Thread } from '../thread.js';
import { FLOAT, span } from './chunks.js';

const BINARY = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'] as const;
export type BinaryOperation = (typeof BINARY)[number];
export const binaryCode = (operation: BinaryOperation): number => BINARY.indexOf(operation);

const UNARY = ['negate', 'square', 'squareRoot', 'inverseSquareRoot', 'exponential', 'absolute'] as const;
export type UnaryOperation = (typeof UNARY)[number];
export const unaryCode = (operation: UnaryOperation): number => UNARY.indexOf(operation);

/**
 * A chunk of a binary operation over four axes of sizes n0 … n3. An operand's strides count floats and are 0 along axes
 * that it is broadcast over; along the last axis they are 1 or 0. The chunk is `size` of the axis numbered `axis`, before
 * which all sizes are 1.
 */
export function binary(
  { kernels }: Thread,
  chunk: number,
  code: number,
  a: number,
  b: number,
  out: number,
  n0: number,
  n1: number,
  n2: number,
  n3: number,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
  axis: number,
  size: number,
): void {
  const operation = kernels[BINARY[code]!];
  const sizes = [n0, n1, n2, n3];
  const { first, count } = span(chunk, size, sizes[axis]!);
  sizes[axis] = count;
  const [m0, m1, m2, m3] = sizes as [number, number, number, number];
  const fromA = a + FLOAT * first * [a0, a1, a2, a3][axis]!;
  const fromB = b + FLOAT * first * [b0, b1, b2, b3][axis]!;
  let to = out + FLOAT * first * [n1 * n2 * n3, n2 * n3, n3, 1][axis]!;
  for (let i = 0; i < m0; i++) {
    for (let j = 0; j < m1; j++) {
      const fromAij = fromA + FLOAT * (i * a0 + j * a1);
      const fromBij = fromB + FLOAT * (i * b0 + j * b1);
      operation(fromAij, fromBij, to, m2, m3, a2, b2, a3, b3);
      to += FLOAT * m2 * m3;
    }
  }
}

/** A chunk of a unary operation on `total` values. */
export function unary(
  { kernels }: Thread,
  chunk: number,
  code: number,
  x: number,
  out: number,
  total: number,
  size: number,
): void {
  const { first, count } = span(chunk, size, total);
  kernels[UNARY[code]!](x + FLOAT * first, out + FLOAT * first, count);
}

/** A chunk of values brought between two bounds. */
export function clip(
  { kernels }: Thread,
  chunk: number,
  x: number,
  out: number,
  total: number,
  low: number,
  high: number,
  size: number,
): void {
  const { first, count } = span(chunk, size, total);
  kernels.clip(x + FLOAT * first, out + FLOAT * first, count, low, high);
}

/** A chunk of `total` equal values. */
export function fill(
  { kernels }: Thread,
  chunk: number,
  out: number,
  total: number,
  value: number,
  size: number,
): void {
  const { first, count } = span(chunk, size, total);
  kernels.fill(out + FLOAT * first, count, value);
}
