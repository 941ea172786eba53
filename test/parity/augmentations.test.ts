/**
 * RandAugment against timm on Pillow: the pixels of each operation, the arguments of magnitudes, the distributions of
 * 2,000 draws; and random erasing against timm's. augmentations.py writes the fixture.
 */
import type { ByteImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import { augment } from '../../src/data/augmentations/augment.js';
import {
  applyOperation,
  drawOperations,
  OPERATION_NAMES,
  randAugment,
  type DrawnOperation,
  type OperationName,
} from '../../src/data/augmentations/rand-augment.js';
import { drawErasedBox } from '../../src/data/augmentations/random-erasing.js';
import { bytesOf, byteImage, largestDifference } from '../data/fixture.js';
import { readFixture } from './fixture.js';

interface Fixture {
  images: {
    height: number;
    width: number;
    pixels: string;
    results: { name: OperationName; argument: number; pixels: string }[];
  }[];
  arguments: { magnitude: number; increasing: boolean; arguments: Record<OperationName, number[]> }[];
  draws: number;
  /** The probabilities of all quantiles. */
  quantiles: number[];
  drawn: {
    text: string;
    /** Images with 0, 1 and 2 operations. */
    perImage: number[];
    counts: Record<OperationName, number>;
    /** Quantiles of the magnitudes of transformations, as shares of the largest. */
    levels: number[];
    /** Share of transformations in the negative direction. */
    negative: number;
  }[];
  erased: {
    size: number;
    /** Images without a box, although each should have one. */
    missed: number;
    quantiles: Record<'area' | 'logRatio' | 'row' | 'column', number[]>;
    noise: [mean: number, deviation: number];
  }[];
  erasedShare: Record<string, number>;
}

const fixture = readFixture('augmentations') as Fixture;
const keyOf = (value: unknown) => randAugment.keys().randAugment.parse(value);

describe.each(fixture.images)('of $height × $width pixels', (image) => {
  it.each(image.results)('$name at $argument has the bytes of Pillow', ({ name, argument, pixels }) => {
    const original = byteImage(image);
    const result = applyOperation(original, { name, argument });
    expect(largestDifference(result.data, bytesOf(pixels))).toBe(0);
    expect(original.data).toEqual(bytesOf(image.pixels));
  });
});

it('covers every operation', () => {
  const names = new Set(fixture.images[0]!.results.map(({ name }) => name));
  expect([...names]).toEqual(OPERATION_NAMES);
});

it.each(fixture.arguments)(
  'magnitude $magnitude has the arguments of timm, increasing: $increasing',
  ({ magnitude, increasing, arguments: expected }) => {
    const recipe = { magnitude, std: 0, ops: 1000, probability: 1, increasing };
    const drawn = drawOperations(recipe, stream(0, 'test'));
    for (const name of OPERATION_NAMES) {
      const own = new Set(drawn.filter((each) => each.name === name).map(({ argument }) => argument));
      const sorted = [...own].toSorted((a, b) => a - b);
      // −0 and 0 are the same argument.
      expect([name, [...new Set(sorted.map((value) => value + 0))].length]).toEqual([name, expected[name].length]);
      expect(largestDifference(sorted.slice(0, expected[name].length), expected[name])).toBeLessThan(1e-12);
    }
  },
);

/** Largest deviation of a share that is drawn twice, by timm and here: 4.5 standard errors of the difference. */
const tolerance = (share: number, draws: number): number => 4.5 * Math.sqrt((2 * share * (1 - share)) / draws);

function quantilesOf(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return fixture.quantiles.map((p) => sorted[Math.round(p * (sorted.length - 1))]!);
}

/** The share of the second values below each quantile of the first, against the probability of that quantile. */
function compareQuantiles(values: readonly number[], expected: readonly number[], slack = 0): void {
  for (const [i, p] of fixture.quantiles.entries()) {
    const most = tolerance(p, values.length);
    const shares = [expected[i]! - slack, expected[i]! + slack].map(
      (bound) => values.filter((value) => value < bound).length / values.length,
    );
    expect({ p, low: shares[0]! <= p + most, high: shares[1]! >= p - most }).toEqual({ p, low: true, high: true });
  }
}

const MOST: Partial<Record<OperationName, number>> = {
  Rotate: 30,
  ...{ ShearX: 0.3, ShearY: 0.3, TranslateX: 0.45, TranslateY: 0.45 },
};

describe.each(fixture.drawn)('2,000 draws of $text', ({ text, perImage, counts, levels, negative }) => {
  const recipe = keyOf(text);
  if (recipe === undefined || recipe === 'none') throw new Error(`${text} is off`);
  const images = Array.from({ length: fixture.draws }, (_, i) => drawOperations(recipe, stream(0, 'test', i)));
  const all: DrawnOperation[] = images.flat();
  const sized = all.filter(({ name }) => name in MOST);

  it('apply as many operations to an image as timm', () => {
    for (const [count, expected] of perImage.entries()) {
      const own = images.filter(({ length }) => length === count).length;
      const share = expected / fixture.draws;
      expect(Math.abs(own / fixture.draws - share)).toBeLessThanOrEqual(tolerance(share, fixture.draws));
    }
  });

  it('choose operations as often as timm', () => {
    for (const name of OPERATION_NAMES) {
      const own = all.filter((each) => each.name === name).length;
      const most = 4.5 * Math.sqrt(own + counts[name]);
      expect([name, Math.abs(own - counts[name]) < most]).toEqual([name, true]);
    }
  });

  it('have the magnitudes of timm, in both directions', () => {
    compareQuantiles(
      sized.map(({ name, argument }) => Math.abs(argument) / MOST[name]!),
      levels,
      1e-9, // a magnitude of 10 is clipped, and frequent
    );
    const share = sized.filter(({ argument }) => argument < 0).length / sized.length;
    expect(Math.abs(share - negative)).toBeLessThan(tolerance(0.5, sized.length));
  });
});

describe.each(fixture.erased)('2,000 erased boxes of images of $size pixels', ({ size, missed, quantiles }) => {
  const boxes = Array.from({ length: fixture.draws }, (_, i) => drawErasedBox(size, stream(0, 'test', i)));
  const found = boxes.filter((box) => box !== null);

  it('lie inside the image, and are missing as rarely as in timm', () => {
    expect(Math.abs(fixture.draws - found.length - missed)).toBeLessThanOrEqual(4);
    for (const { top, left, height, width } of found) {
      expect(Math.min(top, left, height - 1, width - 1)).toBeGreaterThanOrEqual(0);
      expect(Math.max(top + height, left + width)).toBeLessThanOrEqual(size);
    }
  });

  it.each(Object.entries(quantiles))('have the %s of those of timm', (name, expected) => {
    const own = found.map(({ top, left, height, width }) => {
      const values = {
        area: (height * width) / size ** 2,
        logRatio: Math.log(height / width),
        row: (top + height / 2) / size,
        column: (left + width / 2) / size,
      };
      return values[name as keyof typeof values];
    });
    expect(quantilesOf(own)).toHaveLength(expected.length);
    compareQuantiles(own, expected, 1e-6); // many boxes of small images are alike
  });
});

const IMAGE: ByteImage = { data: new Uint8Array(3 * 16 * 16).fill(90), height: 16, width: 16 };

it.each(Object.entries(fixture.erasedShare))(
  'erases a share of %s of all images with noise of N(0, 1)',
  (p, expected) => {
    const recipe = { cropScale: [1, 1] as const, flip: false, randomErasing: Number(p) };
    const patches = Array.from({ length: fixture.draws }, (_, index) => {
      return augment(IMAGE, 16, recipe, { seed: 0, epoch: 0, index }).patches;
    });
    const share = patches.filter(({ length }) => length === 1).length / fixture.draws;
    expect(Math.abs(share - expected)).toBeLessThan(tolerance(expected, fixture.draws));
    const noise = patches.flat().flatMap(({ values }) => [...values]);
    const [mean, deviation] = fixture.erased[0]!.noise;
    const own = noise.reduce((a, b) => a + b, 0) / noise.length;
    const square = noise.reduce((a, b) => a + (b - own) ** 2, 0) / noise.length;
    expect(Math.abs(own - mean)).toBeLessThan(0.02);
    expect(Math.abs(Math.sqrt(square) - deviation)).toBeLessThan(0.02);
  },
);

describe('the key randAugment', () => {
  it("reads timm's text", () => {
    const expected = { magnitude: 9, std: 0.5, ops: 2, probability: 0.5, increasing: true };
    expect(keyOf('rand-m9-mstd0.5-inc1')).toEqual(expected);
    expect(keyOf({})).toEqual(expected);
    expect(keyOf('rand-n3-m5-p0.25')).toEqual({ magnitude: 5, std: 0, ops: 3, probability: 0.25, increasing: false });
  });

  it('is off with none, and when it is absent', () => {
    for (const off of [keyOf('none'), keyOf(undefined)]) {
      expect(randAugment.draw({ randAugment: off }, stream(0, 'test'))).toBeNull();
    }
  });

  it.each(['rand-x9', 'augmix-m3', 'rand-m', { magnitude: 11 }, { strength: 1 }, 'rand-m12'])('rejects %j', (value) => {
    expect(() => keyOf(value)).toThrow();
  });
});
