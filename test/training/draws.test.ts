/** The random draws of training, and the values on which they must depend. */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../../src/common/random.js';
import { viewPixels } from '../../src/common/view.js';
import { openDataset } from '../../src/data/dataset.js';
import type { Split } from '../../src/data/split.js';
import { preparedBatches, splitInParts } from '../../src/training/accumulation.js';
import { trainingBatches } from '../../src/data/batches.js';
import type { StageEvent } from '../../src/store/records.js';
import { imagesPerStep } from '../../src/training/batch-size.js';
import { drawDropPath } from '../../src/training/drop-path.js';
import { augmentedView, augmenterOf } from '../../src/training/views.js';

let split: Split;
beforeAll(async () => {
  await tf.setBackend('cpu');
  split = (await openDataset({ name: 'shapes', imageSize: 16, trainImages: 20, testImages: 10 })).train;
});

describe('augmentedView', () => {
  const options = { seed: 1, size: 16, cropScale: [0.2, 1] as const, flip: true };
  const pixels = async (index: number, epoch: number, changed = {}): Promise<number[]> => {
    const { view } = await augmentedView(split, index, epoch, augmenterOf({ ...options, ...changed }));
    return [...viewPixels(view).data];
  };

  it('is the same for the same seed, epoch and image', async () => {
    expect(await pixels(3, 2)).toStrictEqual(await pixels(3, 2));
  });

  it('differs from epoch to epoch and from seed to seed', async () => {
    const first = await pixels(3, 2);
    expect(await pixels(3, 3)).not.toStrictEqual(first);
    expect(await pixels(3, 2, { seed: 2 })).not.toStrictEqual(first);
  });

  it('mirrors half of the views', async () => {
    let mirrored = 0;
    for (let epoch = 0; epoch < 400; epoch++) {
      const [plain, view] = [await pixels(0, epoch, { flip: false }), await pixels(0, epoch)];
      if (plain.some((value, i) => value !== view[i])) mirrored += 1;
    }
    expect(mirrored).toBeGreaterThan(160); // 4 standard deviations are 40
    expect(mirrored).toBeLessThan(240);
  });

  it('comes with the label of its image', async () => {
    for (let index = 0; index < split.length; index++) {
      expect((await augmentedView(split, index, 0, augmenterOf(options))).target).toBe(split.labels[index]);
    }
  });
});

describe('drawDropPath', () => {
  it('drops nothing at rate 0', () => {
    expect(drawDropPath(0, 4, 8, stream(0, 'x'))).toBeNull();
  });

  it('drops the branches of block i of n at rate·i/(n − 1), and keeps the expectation', () => {
    const batch = 20000;
    const factors = drawDropPath(0.3, 4, batch, stream(0, 'x'))!;
    expect(factors).toHaveLength(8);
    expect(factors.slice(0, 2)).toStrictEqual([null, null]); // block 0 has rate 0
    factors.slice(2).forEach((branch, i) => {
      const rate = (0.3 * (1 + Math.floor(i / 2))) / 3;
      const values = branch!.dataSync();
      const dropped = values.filter((value) => value === 0).length / batch;
      expect(Math.abs(dropped - rate)).toBeLessThan(0.013); // 4 standard deviations
      expect(Math.max(...values)).toBeCloseTo(1 / (1 - rate), 5);
    });
    tf.dispose(factors.filter((branch) => branch !== null));
  });
});

describe('splitInParts', () => {
  it('splits a batch into equal parts, in order', () => {
    const parts = splitInParts(Int32Array.of(5, 1, 4, 2, 3, 0), 3);
    expect(parts.map((part) => [...part])).toStrictEqual([
      [5, 1],
      [4, 2],
      [3, 0],
    ]);
  });

  it('keeps a batch whole that it cannot split evenly', () => {
    expect(splitInParts(Int32Array.of(1, 2, 3), 2).map((part) => [...part])).toStrictEqual([[1, 2, 3]]);
  });
});

describe('preparedBatches', () => {
  const options = {
    ...{ length: 10, batchSize: 2, seed: 3, tensors: (part: tf.Tensor) => [part] },
    prepare: (indices: Int32Array, epoch: number, step: number) =>
      Promise.resolve([tf.tensor1d([epoch, step, ...indices])]),
  };
  const valuesOf = async (epoch: number, fromStep: number): Promise<number[][]> => {
    const batches: number[][] = [];
    for await (const [part] of preparedBatches(options, epoch, fromStep)) {
      batches.push([...part!.dataSync()]);
      part!.dispose();
    }
    return batches;
  };

  it('continues from a step with the remaining batches of the epoch', async () => {
    const whole = trainingBatches(10, 2, 3, 1).map((indices, step) => [1, step, ...indices]);
    expect(await valuesOf(1, 0)).toEqual(whole);
    expect(await valuesOf(1, 3)).toEqual(whole.slice(3));
  });

  it('disposes of parts that were prepared and are not used', async () => {
    const before = tf.memory().numTensors;
    for await (const [part] of preparedBatches(options, 1, 0)) {
      part!.dispose();
      break;
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('imagesPerStep', () => {
  it('is the batch size, or with a warning all images if they are fewer', () => {
    const warnings: string[] = [];
    const emit = (event: StageEvent): void => {
      if (event.type === 'warning') warnings.push(event.message);
    };
    expect([imagesPerStep(8, 9, emit), imagesPerStep(8, 8, emit), warnings]).toEqual([8, 8, []]);
    expect(imagesPerStep(8, 7, emit)).toBe(7);
    expect(warnings).toEqual([expect.stringContaining('all 7 training images, fewer than batchSize 8')]);
  });
});
