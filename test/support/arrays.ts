/** Small numeric helpers of the tests, all in float64. */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../../src/common/random.js';

export type Values = ArrayLike<number>;

/** Standard normal values, the same for the same name. */
export function normals(length: number, name: string, std = 1): Float64Array {
  const random = stream(7, 'test', name);
  // Rounded to float32 so that the device and the float64 reference start from the same numbers.
  return Float64Array.from({ length }, () => Math.fround(random.normal(0, std)));
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** ‖a − b‖ / max(‖b‖, tiny): the relative error in parity tests. */
export function relativeError(actual: Values, expected: Values): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values, but ${expected.length} are expected`);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-30);
}

/** Central differences of a scalar function in each of its variables. */
export function numericalGradient(f: (x: Float64Array) => number, x: Values, step = 1e-5): Float64Array {
  const point = Float64Array.from(x);
  return point.map((value, i) => {
    point[i] = value + step;
    const above = f(point);
    point[i] = value - step;
    const below = f(point);
    point[i] = value;
    return (above - below) / (2 * step);
  });
}

/** Central difference of a scalar function along a direction: the product of its gradient and the direction. */
export function differenceAlong(f: (x: Float64Array) => number, x: Values, direction: Values, step = 1e-5): number {
  const moved = (by: number): Float64Array => Float64Array.from(x, (value, i) => value + by * direction[i]!);
  return (f(moved(step)) - f(moved(-step))) / (2 * step);
}

export const dot = (a: Values, b: Values): number => Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Creates a tensor, reads it and disposes of it. */
export async function read(make: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make);
  const data = (await tensor.data()) as Float32Array;
  tensor.dispose();
  return data;
}
