import { TrainingError } from '../../src/common/errors.js';
import type { ByteImage } from '../../src/common/image.js';
import { balancedSubset, labelledSubset, type Split, splitOf } from '../../src/data/split.js';

/** An image that tells its index: one pixel, red = index. */
const pixel = (index: number): ByteImage => ({ data: Uint8Array.of(index, 0, 0), height: 1, width: 1 });

function splitWith(labels: readonly number[], unreadable: readonly number[] = []): Split<number> {
  return splitOf({
    labels: Uint32Array.from(labels),
    names: { image: (index) => `${index}.png`, class: (label) => `class${label}` },
    read: (index) => Promise.resolve(unreadable.includes(index) ? null : pixel(index)),
  });
}

/** The index of the image in the source, and its label. */
async function read(split: Split<number>, index: number): Promise<[index: number, label: number]> {
  const { image, target } = await split.sample(index);
  return [image.data[0]!, target];
}

const sourceIndices = (split: Split<number>): Promise<number[]> =>
  Promise.all(Array.from({ length: split.length }, async (_, i) => (await read(split, i))[0]));

const countByLabel = ({ labels }: Split<number>): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};

/** `counts[c]` images of class c, the classes taking turns. */
function mixed(...counts: number[]): Split<number> {
  const labels: number[] = [];
  for (let round = 0; round < Math.max(...counts); round++) {
    counts.forEach((count, label) => {
      if (round < count) labels.push(label);
    });
  }
  return splitWith(labels);
}

describe('a sample', () => {
  it('should be the image with its label', async () => {
    expect(await read(splitWith([4, 5, 6]), 1)).toEqual([1, 5]);
  });

  it.each([-1, 3, 0.5])('should be refused at index %d of three', async (index) => {
    await expect(splitWith([0, 1, 2]).sample(index)).rejects.toThrow(RangeError);
    await expect(splitWith([0, 1, 2]).read(index)).rejects.toThrow(RangeError);
  });
});

describe('an image that cannot be decoded', () => {
  /** Fifty images of two classes in turn; the first few may be passed over. */
  const fifty = (...unreadable: number[]): Split<number> =>
    splitWith(
      Array.from({ length: 50 }, (_, i) => i % 2),
      unreadable,
    );

  it('should be read as null, and have no stand-in', async () => {
    const split = fifty(1);
    expect(await split.read(1)).toBeNull();
    expect(await split.read(1)).toBeNull();
    expect((await split.read(2))?.image.data[0]).toBe(2);
  });

  it('should be stood in for in training by the next one that can, with its own label', async () => {
    const split = fifty(1, 2);
    expect(await read(split, 1)).toEqual([3, 1]);
    expect(await read(split, 2)).toEqual([3, 1]);
  });

  it('should be stood in for by the first image after the last', async () => {
    expect(await read(fifty(49), 49)).toEqual([0, 0]);
  });

  it('should be replaced by an image of its own subset', async () => {
    const split = fifty(1).subset([1, 3, 4]);
    expect(await read(split, 0)).toEqual([3, 1]);
  });

  it('should be named once and counted in every split that it was read in', async () => {
    const split = fifty(1, 2);
    const part = split.subset([1, 3, 4, 5]);
    await Promise.all([split.sample(1), split.read(1), split.read(2), part.read(0)]);
    expect(split.corrupt).toEqual(['1.png', '2.png']);
    expect([split.decodable, part.decodable]).toEqual([48, 3]);
  });

  it('should be asked for once', async () => {
    let asked = 0;
    const read = () => Promise.resolve((asked++, null));
    const split = splitOf({ labels: new Uint32Array(50), read });
    await split.read(1);
    await split.read(1);
    expect(asked).toBe(1);
  });
});

describe('too many images that cannot be decoded', () => {
  it('should fail once they are more than 5 % of the split, with their names and the remedy', async () => {
    const split = splitWith(
      Array.from({ length: 40 }, (_, i) => i % 2),
      [3, 5, 8],
    );
    expect(await split.read(3)).toBeNull();
    expect(await split.read(5)).toBeNull(); // 5 % exactly
    const reading = split.read(8);
    await expect(reading).rejects.toThrow(TrainingError);
    await expect(reading).rejects.toThrow(
      'at least 3 of 40 images (7.5 %) cannot be decoded (3.png, 5.png, 8.png); up to 5 % are passed over. Replace these',
    );
  });

  it('should never be a single one', async () => {
    const split = splitWith([0, 0, 1, 1], [1, 2]);
    expect(await split.read(1)).toBeNull();
    await expect(split.read(2)).rejects.toThrow('at least 2 of 4 images');
  });

  it('should fail in training as in evaluation', async () => {
    const split = splitWith([0, 0, 0, 1, 1, 1], [1, 2]);
    await expect(split.sample(1)).rejects.toThrow('at least 2 of 6 images');
  });

  it('should be a share of the subset that is read, not of all images', async () => {
    const all = splitWith(
      Array.from({ length: 50 }, (_, i) => i % 2),
      [0, 1],
    );
    const part = all.subset([0, 1, 2, 3, 4, 5]);
    await all.read(0);
    await all.read(1);
    await part.read(0);
    await expect(part.read(1)).rejects.toThrow('at least 2 of 6 images');
  });

  it('should fail if they are all images of a class, with its name and theirs', async () => {
    const split = splitWith([...Array.from({ length: 98 }, () => 0), 1, 1], [98, 99]);
    expect(await split.read(98)).toBeNull();
    await expect(split.read(99)).rejects.toThrow(
      'no image of class class1 can be decoded (98.png, 99.png), so its results would be of fewer classes. Replace these',
    );
  });

  it('should fail if the subset has no other image of a class', async () => {
    const split = splitWith([0, 0, 1, 1], [3]);
    expect(await split.read(3)).toBeNull();
    await expect(split.subset([0, 3]).read(1)).rejects.toThrow('no image of class class1 can be decoded (3.png)');
  });

  it('should name five of them and count the rest', async () => {
    const broken = Array.from({ length: 8 }, (_, i) => i);
    const split = splitWith([...broken.map(() => 0), ...Array.from({ length: 192 }, () => 1)], broken);
    for (const index of broken.slice(1)) await split.read(index);
    await expect(split.read(0)).rejects.toThrow('(1.png, 2.png, 3.png, 4.png, 5.png and 3 more)');
  });
});

describe('a subset', () => {
  it('should have the labels and images of its indices, in their order', async () => {
    const split = splitWith([4, 5, 6, 7]).subset([3, 0]);
    expect(Array.from(split.labels)).toEqual([7, 4]);
    expect(await sourceIndices(split)).toEqual([3, 0]);
  });

  it('should itself be divisible', async () => {
    const split = splitWith([4, 5, 6, 7]).subset([3, 2, 0]).subset([1, 2]);
    expect(Array.from(split.labels)).toEqual([6, 4]);
    expect(await sourceIndices(split)).toEqual([2, 0]);
  });
});

describe('labels of more classes than 16 bits count', () => {
  const CLASSES = 65_600;
  const split = splitWith(Array.from({ length: 2 * CLASSES }, (_, i) => i % CLASSES));

  it('should stay what they are', async () => {
    expect((await read(split, CLASSES - 1))[1]).toBe(CLASSES - 1);
    expect(split.labels[2 * CLASSES - 1]).toBe(CLASSES - 1);
  });

  it.each([
    ['a subset', split.subset([65_536, CLASSES - 1]), [65_536, CLASSES - 1]],
    ['a balanced subset', balancedSubset(split, CLASSES, 'train'), Array.from({ length: CLASSES }, (_, i) => i)],
    [
      'a labelled subset',
      labelledSubset(split, { labelFraction: 0.5 }, 3),
      Array.from({ length: CLASSES }, (_, i) => i),
    ],
  ])('should be the same in %s', (_what, subset, expected) => {
    expect(Array.from(subset.labels).sort((a, b) => a - b)).toEqual(expected);
  });
});

describe('a balanced subset', () => {
  it('should have equally many images of every class', () => {
    expect(countByLabel(balancedSubset(mixed(50, 50, 50), 30, 'train'))).toEqual({ 0: 10, 1: 10, 2: 10 });
  });

  it('should differ by one image at most if the count does not divide', () => {
    const counts = Object.values(countByLabel(balancedSubset(mixed(20, 20, 20, 20), 22, 'train')));
    expect(counts.toSorted((a, b) => a - b)).toEqual([5, 5, 6, 6]);
  });

  it('should take all of a small class and more of the others', () => {
    expect(countByLabel(balancedSubset(mixed(3, 50, 50), 23, 'train'))).toEqual({ 0: 3, 1: 10, 2: 10 });
  });

  it('should be the split itself if the split has no more images', () => {
    const split = mixed(2, 2);
    expect(balancedSubset(split, 4, 'train')).toBe(split);
    expect(balancedSubset(split, 99, 'train')).toBe(split);
    expect(balancedSubset(split, undefined, 'train')).toBe(split);
  });

  it('should be the same each time, random within a class, and other for the test split', async () => {
    const chosen = await sourceIndices(balancedSubset(mixed(40, 40), 20, 'train'));
    expect(await sourceIndices(balancedSubset(mixed(40, 40), 20, 'train'))).toEqual(chosen);
    expect(await sourceIndices(balancedSubset(mixed(40, 40), 20, 'test'))).not.toEqual(chosen);
    expect(Math.max(...chosen)).toBeGreaterThan(40);
    expect(chosen).toEqual(chosen.toSorted((a, b) => a - b));
  });

  it('should be a part of every larger one', async () => {
    const larger = new Set(await sourceIndices(balancedSubset(mixed(30, 30, 30), 40, 'train')));
    for (const index of await sourceIndices(balancedSubset(mixed(30, 30, 30), 25, 'train'))) {
      expect(larger).toContain(index);
    }
  });
});

describe('a labelled subset', () => {
  it('should have the fraction of every class', () => {
    expect(countByLabel(labelledSubset(mixed(20, 40, 100), { labelFraction: 0.1 }, 0))).toEqual({ 0: 2, 1: 4, 2: 10 });
  });

  it('should have at least one image of every class', () => {
    expect(countByLabel(labelledSubset(mixed(3, 200), { labelFraction: 0.01 }, 0))).toEqual({ 0: 1, 1: 2 });
  });

  it('should be drawn by the seed', async () => {
    const chosen = await sourceIndices(labelledSubset(mixed(50, 50), { labelFraction: 0.2 }, 0));
    expect(await sourceIndices(labelledSubset(mixed(50, 50), { labelFraction: 0.2 }, 0))).toEqual(chosen);
    expect(await sourceIndices(labelledSubset(mixed(50, 50), { labelFraction: 0.2 }, 1))).not.toEqual(chosen);
  });

  it('should be the split itself at fraction 1', () => {
    const split = mixed(2, 2);
    expect(labelledSubset(split, { labelFraction: 1 }, 0)).toBe(split);
  });

  it('should pass over classes without images', () => {
    expect(countByLabel(labelledSubset(splitWith([0, 0, 2, 2]), { labelFraction: 0.5 }, 0))).toEqual({ 0: 1, 2: 1 });
  });
});
