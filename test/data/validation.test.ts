import { readFileSync } from 'node:fs';
import { UsageError } from '../../src/common/errors.js';
import { openDataset } from '../../src/data/dataset.js';
import { previewSplit, sealFor } from '../../src/data/stage-data.js';
import { splitOf, type Split } from '../../src/data/split.js';
import { classShares, drawValidation, separateValidation } from '../../src/data/validation.js';

interface Case {
  counts: number[];
  images: number;
  drawn: number[];
}

describe('the number of validation images of each class', () => {
  const cases = JSON.parse(readFileSync('test/data/fixtures/stratified.json', 'utf8')) as Case[];

  it('should be the split of scikit-learn, if no two remainders are equal', () => {
    expect(cases.map(({ counts, images }) => classShares(counts, images))).toEqual(cases.map(({ drawn }) => drawn));
  });

  it('should be given to the largest remainders, of equal ones to the first classes', () => {
    // Quotas 10/21·5 = 2.38, 8/21·5 = 1.90, 3/21·5 = 0.71: two images are left after rounding down.
    expect(classShares([10, 8, 3], 5)).toEqual([2, 2, 1]);
    expect(classShares([4, 4, 4], 4)).toEqual([2, 1, 1]);
  });

  it('should leave each class one image for training', () => {
    // The quotas are 9, 0.9 and 0.9, of which the last two would round to all that the class has.
    expect(classShares([10, 1, 1], 9)).toEqual([9, 0, 0]);
    expect(classShares([1, 3], 2)).toEqual([0, 2]);
  });
});

describe('the validation images', () => {
  const labels = Uint32Array.from({ length: 60 }, (_, i) => (i % 10 === 0 ? 1 : i % 3 === 0 ? 2 : 0));

  it('should be a stratified part of the training images, which does not contain them any more', () => {
    const split = splitOf({ labels, read: (index) => Promise.resolve(pixel(index)) });
    const { train, validation } = separateValidation(split, { fraction: 0.2, splitSeed: 0 });
    expect([train.length, validation.length]).toEqual([48, 12]);
    // 36, 6 and 18 images of the classes: a fifth is 7.2, 1.2 and 3.6.
    expect([0, 1, 2].map((label) => validation.labels.filter((own) => own === label).length)).toEqual([7, 1, 4]);
  });

  it('should be disjoint from the training images, and together with them all of them', async () => {
    const split = splitOf({ labels, read: (index) => Promise.resolve(pixel(index)) });
    const { train, validation } = separateValidation(split, { images: 13, splitSeed: 7 });
    const all = [...(await indicesOf(train)), ...(await indicesOf(validation))];
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('should be others for another seed, and the same for the same one', () => {
    const [a, again, b] = [0, 0, 1].map((splitSeed) => drawValidation(labels, { images: 20, splitSeed }));
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
  });

  it('should be at least one, and refused if a class would have no training image', () => {
    expect(drawValidation(labels, { fraction: 0.001, splitSeed: 0 })).toHaveLength(1);
    const whole = () => drawValidation(labels, { images: 58, splitSeed: 0 });
    expect(whole).toThrow(UsageError);
    expect(whole).toThrow('takes 58 of 60 training images, but each class must keep one: it can take at most 57');
  });
});

describe('an opened data set', () => {
  const sizes = { name: 'shapes', imageSize: 16, trainImages: 50, testImages: 20 } as const;

  it('should have the validation images apart, and the same fingerprint', async () => {
    const plain = await openDataset(sizes);
    const { train, test, validation, fingerprint } = await openDataset({
      ...sizes,
      validation: { fraction: 0.2, splitSeed: 0 },
    });
    expect([train.length, validation?.length, test.length]).toEqual([40, 10, 20]);
    expect(fingerprint).toBe(plain.fingerprint);
    expect(plain.validation).toBeUndefined();
  });

  it('should be pictured by validation images, by test images if these are not sealed, and else by training images', async () => {
    const pretraining = { kind: 'pretrain', data: sizes };
    const plain = await openDataset(sizes);
    const withValidation = await openDataset({ ...sizes, validation: { fraction: 0.2, splitSeed: 0 } });
    const { validation: _, ...withoutThem } = sealFor(pretraining, withValidation);
    expect(previewSplit(sealFor(pretraining, withValidation))).toBe(withValidation.validation);
    expect(previewSplit(sealFor(pretraining, plain))).toBe(plain.test);
    expect(previewSplit(withoutThem)).toBe(withValidation.train);
    expect(previewSplit({ ...plain, test: plain.test.subset([]) })).toBe(plain.train);
  });

  it('should have no readable test set in a stage that measures on the validation images or pre-trains', async () => {
    const data = { ...sizes, validation: { images: 10, splitSeed: 0 } };
    const dataset = await openDataset(data);
    for (const reads of [{ kind: 'knn', data, split: 'validation' } as const, { kind: 'pretrain', data }]) {
      const { test } = sealFor(reads, dataset);
      const ways: ((split: Split) => unknown)[] = [
        (split) => split.read(0),
        (split) => split.sample(0),
        (split) => split.subset([0]),
        (split) => split.labels,
      ];
      for (const way of ways) expect(() => way(test)).toThrow('the test set cannot be read');
      expect(test.length).toBe(20);
    }
  });

  it('should have its test set in all other stages', async () => {
    const data = { ...sizes, validation: { images: 10, splitSeed: 0 } };
    const dataset = await openDataset(data);
    expect(sealFor({ kind: 'knn', data }, dataset)).toBe(dataset);
    const plain = await openDataset(sizes);
    expect(sealFor({ kind: 'pretrain', data: sizes }, plain)).toBe(plain);
  });
});

const pixel = (index: number) => ({ data: Uint8Array.of(index, 0, 0), height: 1, width: 1 });

async function indicesOf(split: Split<number>): Promise<number[]> {
  const read = Array.from({ length: split.length }, async (_, i) => (await split.sample(i)).image.data[0]!);
  return Promise.all(read);
}
