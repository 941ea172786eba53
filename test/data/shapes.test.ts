import { sha256 } from '../../src/common/canonical.js';
import { openDataset } from '../../src/data/dataset.js';
import { FORMS } from '../../src/data/forms.js';
import { PAINTER_VERSION } from '../../src/data/shape-painter.js';
import type { Split } from '../../src/data/split.js';

const open = (sizes: { imageSize?: number; trainImages?: number; testImages?: number } = {}) =>
  openDataset({ name: 'shapes', imageSize: 32, trainImages: 40, testImages: 20, ...sizes });

async function pixels(split: Split): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < split.length; i++) parts.push((await split.sample(i)).image.data);
  return new Uint8Array(Buffer.concat(parts));
}

/** The mean colour of each image. */
async function meanColors(split: Split): Promise<[number, number, number][]> {
  const means: [number, number, number][] = [];
  for (let i = 0; i < split.length; i++) {
    const { data } = (await split.sample(i)).image;
    const mean: [number, number, number] = [0, 0, 0];
    data.forEach((v, j) => (mean[j % 3]! += v / (data.length / 3)));
    means.push(mean);
  }
  return means;
}

describe('the forms', () => {
  const inside = (form: keyof typeof FORMS, x: number, y: number): boolean => FORMS[form](x, y) < 0;

  it.each(Object.entries(FORMS))('should fit the unit circle: %s', (_name, form) => {
    for (let angle = 0; angle < 360; angle += 3) {
      const [x, y] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
      expect(form(1.02 * x, 1.02 * y)).toBeGreaterThan(0);
    }
  });

  it.each(Object.entries(FORMS))(
    'should measure distances: none grows faster than the way there: %s',
    (_name, form) => {
      for (let x = -1.2; x < 1.2; x += 0.1) {
        for (let y = -1.2; y < 1.2; y += 0.1) expect(Math.abs(form(x + 0.01, y) - form(x, y))).toBeLessThan(0.0101);
      }
    },
  );

  it('should be hollow or notched as by their names', () => {
    expect(inside('disc', 0, 0)).toBe(true);
    expect(inside('ring', 0, 0)).toBe(false);
    expect(inside('ring', 0.7, 0)).toBe(true);
    expect(inside('crescent', 0.3, 0)).toBe(false);
    expect(inside('crescent', -0.6, 0)).toBe(true);
    expect(inside('cross', 0.6, 0.6)).toBe(false);
    expect(inside('cross', 0.8, 0)).toBe(true);
    expect(inside('star', 0, -0.9)).toBe(true);
    expect(inside('star', 0, 0.9)).toBe(false);
    expect(inside('heart', 0, -0.6)).toBe(false);
    expect(inside('heart', 0, 0.7)).toBe(true);
    expect(inside('arrow', 0.5, 0.5)).toBe(false);
    expect(inside('triangle', 0, 0.45)).toBe(true);
    expect(inside('square', 0.6, 0.6)).toBe(false);
    expect(inside('hexagon', 0.6, 0.35)).toBe(true);
  });

  it('should give the distance of a square exactly', () => {
    expect(FORMS.square(0, 0)).toBeCloseTo(-Math.SQRT1_2, 12);
    expect(FORMS.square(2, 0)).toBeCloseTo(1, 12);
    expect(FORMS.square(1, 1)).toBeCloseTo(Math.SQRT1_2, 12);
  });
});

describe('the shapes data set', () => {
  it('should have ten classes, each equally often in every ten images', async () => {
    const { classes, train, test } = await open();
    expect(classes).toHaveLength(10);
    expect([train.length, test.length]).toEqual([40, 20]);
    for (let i = 0; i < 40; i += 10) expect(new Set(train.labels.subarray(i, i + 10)).size).toBe(10);
    expect(train.labels.subarray(0, 10)).not.toEqual(train.labels.subarray(10, 20));
  });

  it('should be the same each time it is opened', async () => {
    const [first, second] = [await open(), await open()];
    expect(await pixels(first.train)).toEqual(await pixels(second.train));
    expect(first.fingerprint).toBe(second.fingerprint);
  });

  it('should show other pictures in training than in testing, and no picture twice', async () => {
    const { train, test } = await open({ trainImages: 200, testImages: 200 });
    const seen = new Set<string>();
    for (const split of [train, test]) {
      for (let i = 0; i < 200; i++) seen.add(sha256((await split.sample(i)).image.data));
    }
    expect(seen.size).toBe(400);
  });

  it('should begin a larger set with the smaller one', async () => {
    const small = await pixels((await open({ trainImages: 15 })).train);
    const large = await pixels((await open({ trainImages: 30 })).train);
    expect(large.subarray(0, small.length)).toEqual(small);
  });

  it.each([8, 9, 33, 64])('should be painted at %i pixels', async (imageSize) => {
    const { image } = await (await open({ imageSize })).train.sample(3);
    expect(image).toMatchObject({ height: imageSize, width: imageSize });
    expect(image.data).toHaveLength(imageSize * imageSize * 3);
    expect(Math.max(...image.data) - Math.min(...image.data)).toBeGreaterThan(40);
  });

  it('should not tell classes apart by mean colour', async () => {
    const { train, test } = await open({ trainImages: 1000, testImages: 500 });
    const [trainMeans, testMeans] = [await meanColors(train), await meanColors(test)];
    const centres = Array.from({ length: 10 }, (): [number, number, number] => [0, 0, 0]);
    trainMeans.forEach((mean, i) => {
      for (const c of [0, 1, 2]) centres[train.labels[i]!]![c]! += mean[c]! / 100;
    });
    const distance = (a: number[], b: number[]): number => Math.hypot(...a.map((v, i) => v - b[i]!));
    const right = testMeans.filter((mean, i) => {
      const distances = centres.map((centre) => distance(centre, mean));
      return distances.indexOf(Math.min(...distances)) === test.labels[i];
    });
    expect(right.length / 500).toBeLessThan(0.16);
  });

  it('should have a fingerprint that its sizes decide', async () => {
    const prints = [open(), open({ imageSize: 33 }), open({ trainImages: 41 }), open({ testImages: 21 })];
    expect(new Set((await Promise.all(prints)).map(({ fingerprint }) => fingerprint)).size).toBe(4);
  });

  it('should not change its pictures without a new version', async () => {
    // A change here changes every result on shapes: raise PAINTER_VERSION, then this hash.
    const { train } = await open({ trainImages: 20 });
    expect([PAINTER_VERSION, sha256(await pixels(train))]).toEqual([
      1,
      '3c4a4afaacc0f7a6999df2563dda4f3c70fccd5ef2df53fdfa111b73becc6685',
    ]);
  });
});
