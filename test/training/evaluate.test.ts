/** Which images an evaluation reads, and its results. */
import * as tf from '@tensorflow/tfjs';
import { splitOf, type Split } from '../../src/data/split.js';
import { accuracies, applyToSplit } from '../../src/training/evaluate.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SIDE = 2;

/** Grey images, the i-th of value i mod 256, with these labels. */
const greys = (labels: readonly number[], undecodable: readonly number[] = []): Split<number> =>
  splitOf({
    labels: Uint32Array.from(labels),
    read: (index) => {
      const data = new Uint8Array(SIDE * SIDE * 3).fill(index);
      return Promise.resolve(undecodable.includes(index) ? null : { data, height: SIDE, width: SIDE });
    },
  });

/** The red value of each image in 0 … 255, and its negative. */
const red = (images: tf.Tensor4D): tf.Tensor2D => {
  const first: tf.Tensor2D = tf.reshape(tf.slice(images, 0, [-1, 1, 1, 1]), [-1, 1]);
  const value: tf.Tensor2D = tf.mul(tf.add(tf.mul(first, 0.229), 0.485), 255);
  return tf.concat2d([value, tf.neg(value)], 1);
};

const valuesOf = (outputs: Float32Array): number[] => Array.from(outputs, Math.round).filter((_, i) => i % 2 === 0);

describe('a model applied to a split', () => {
  it('gives a row for each image in order, over several batches', async () => {
    const labels = Array.from({ length: 200 }, (_, i) => i % 7);
    const applied = await applyToSplit(greys(labels), SIDE, red);
    expect(applied.width).toBe(2);
    expect(valuesOf(applied.outputs)).toEqual(labels.map((_, i) => i));
    expect(Array.from(applied.targets)).toEqual(labels);
  });

  it('omits images that cannot be decoded, and their labels', async () => {
    const labels = Array.from({ length: 200 }, (_, i) => i % 7);
    const undecodable = [0, 3, 127, 128, 199];
    const applied = await applyToSplit(greys(labels, undecodable), SIDE, red);
    const kept = labels.map((_, i) => i).filter((i) => !undecodable.includes(i));
    expect(valuesOf(applied.outputs)).toEqual(kept);
    expect(Array.from(applied.targets)).toEqual(kept.map((i) => i % 7));
  });

  it('omits a whole batch', async () => {
    const labels = Array.from({ length: 128 * 21 }, (_, i) => Number(i >= 256));
    const undecodable = Array.from({ length: 128 }, (_, i) => 128 + i);
    const { outputs, targets: own } = await applyToSplit(greys(labels, undecodable), SIDE, red);
    expect([outputs.length, own.length]).toEqual([2 * 128 * 20, 128 * 20]);
  });

  it('divides the accuracy by the images that it scored', async () => {
    // Every decodable image except the last is classified correctly: 38 of 39.
    const labels = Array.from({ length: 40 }, (_, i) => Number(i === 39));
    labels[5] = 1;
    const { outputs, targets: own } = await applyToSplit(greys(labels, [5]), SIDE, red);
    expect(accuracies(outputs, own, 2).accuracy).toBeCloseTo((100 * 38) / 39, 10);
  });

  it('leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    await applyToSplit(greys(Array.from({ length: 300 }, (_, i) => i % 2)), SIDE, red);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('fails if too few images are left, and leaks no tensor', async () => {
    const labels = Array.from({ length: 300 }, (_, i) => i % 2);
    const before = tf.memory().numTensors;
    const undecodable = Array.from({ length: 20 }, (_, i) => 280 + i);
    await expect(applyToSplit(greys(labels, undecodable), SIDE, red)).rejects.toThrow('of 300 images');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps labels above 65,535', async () => {
    const { targets } = await applyToSplit(greys([65_599, 1]), SIDE, red);
    expect(Array.from(targets)).toEqual([65_599, 1]);
  });
});
