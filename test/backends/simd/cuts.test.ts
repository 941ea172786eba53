/** Copies and sums that are divided among threads, against tfjs's own CPU kernels; and sums of very many values. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../../src/backends/device.js';
import { relativeError } from '../../support/arrays.js';
import { simdVariants } from '../../support/devices.js';

const waves = (...shape: number[]): tf.Tensor => tf.sin(tf.range(0, tf.util.sizeFromShape(shape))).reshape(shape);

const COPIES: [string, () => tf.Tensor][] = [
  ['a matrix turned', () => tf.transpose(waves(301, 517))],
  ['matrices turned', () => tf.transpose(waves(5, 201, 103), [0, 2, 1])],
  ['rows swapped', () => tf.transpose(waves(7, 91, 5, 37), [0, 2, 1, 3])],
  ['all four axes moved', () => tf.transpose(waves(17, 31, 13, 19), [2, 0, 3, 1])],
  ['a slice of whole rows', () => tf.slice(waves(403, 391), [1, 0], [401, 391])],
  ['a slice of parts of rows', () => tf.slice(waves(403, 391), [1, 3], [401, 387])],
];

/** Values without cancellation, which would magnify rounding errors. */
const positive = (...shape: number[]): tf.Tensor => tf.add(waves(...shape), 1);

const SUMS: [string, () => tf.Tensor][] = [
  ['over the first axis', () => tf.sum(positive(2003, 131), 0)],
  ['over the middle axis', () => tf.mean(positive(3, 501, 203), 1)],
  ['over the first two axes', () => tf.sum(positive(31, 67, 77), [0, 1])],
  ['over the last axis', () => tf.sum(positive(131, 2003), 1)],
];

describe.each(await simdVariants())('on $label', ({ open }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => {
    device.close();
  });

  const values = (backend: string, make: () => tf.Tensor): Float32Array => {
    void tf.setBackend(backend);
    return tf.tidy(() => make().dataSync() as Float32Array);
  };

  it.each(COPIES)('%s: the same as in tfjs', (_name, make) => {
    expect(relativeError(values('simd', make), values('cpu', make))).toBe(0);
  });

  it.each(SUMS)('sums %s: the same as in tfjs', (_name, make) => {
    expect(relativeError(values('simd', make), values('cpu', make))).toBeLessThan(1e-6);
  });

  it.each([
    ['rows', [1_000_000, 19], 0],
    ['columns', [3, 1_000_001], 1],
  ])('a million %s add up to seven digits', (_name, shape, axis) => {
    const sums = values('simd', () => tf.sum(tf.fill(shape, 0.1), axis));
    for (const sum of sums) expect(sum / (shape[axis]! * Math.fround(0.1))).toBeCloseTo(1, 6);
  });
});
