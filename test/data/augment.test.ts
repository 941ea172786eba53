import { type ByteImage } from '../../src/common/image.js';
import { type Random, stream } from '../../src/common/random.js';
import { horizontalFlip, viewPixels } from '../../src/common/view.js';
import { drawCrop, evaluationBox, evaluationView, randomResizedCrop } from '../../src/data/augment.js';
import { byteImage, bytesOf, fixture, largestDifference } from './fixture.js';

/** Replays given uniform numbers in [0, 1), and fails when asked for more. */
function scripted(...units: number[]): Random {
  const next = (): number => {
    const unit = units.shift();
    if (unit === undefined) throw new Error('no number left');
    return unit;
  };
  return {
    uint32: () => Math.floor(next() * 2 ** 32),
    uniform: (low = 0, high = 1) => low + (high - low) * next(),
    integer: (bound) => Math.floor(next() * bound),
    normal: () => next(),
  };
}

describe('the box of a random resized crop', () => {
  it('should take area, aspect ratio, row and column in this order', () => {
    // Area 0.25 of 40×40 at aspect 1 (the middle of the logarithm): 20×20; row ⌊0.5·21⌋, column ⌊0·21⌋.
    expect(drawCrop(40, 40, { scale: [0, 0.5] }, scripted(0.5, 0.5, 0.5, 0))).toEqual({
      top: 10,
      left: 0,
      height: 20,
      width: 20,
    });
  });

  it('should make a wide box at the largest ratio', () => {
    expect(drawCrop(40, 40, { scale: [0, 0.48], ratio: [3 / 4, 4 / 3] }, scripted(1, 1, 0, 0))).toEqual({
      top: 0,
      left: 0,
      height: 24,
      width: 32,
    });
  });

  it('should draw again when the box does not fit', () => {
    const tooWide = [1, 1];
    expect(drawCrop(10, 10, { scale: [0, 1] }, scripted(...tooWide, 0.25, 0.5, 0, 0))).toEqual({
      top: 0,
      left: 0,
      height: 5,
      width: 5,
    });
  });

  it.each([
    [10, 100, { top: 0, left: 43, height: 10, width: 13 }],
    [100, 10, { top: 43, left: 0, height: 13, width: 10 }],
    [11, 12, { top: 0, left: 0, height: 11, width: 12 }],
    [1, 1, { top: 0, left: 0, height: 1, width: 1 }],
  ])('should fall back to the largest centred box of a %i×%i image', (height, width, box) => {
    // Twice the area of the image never fits.
    expect(drawCrop(height, width, { scale: [2, 2] }, stream(0, 'test'))).toEqual(box);
  });

  it('should reach every place and never leave the image', () => {
    const random = stream(0, 'test');
    const seen = new Set<string>();
    for (let i = 0; i < 500; i++) {
      const box = drawCrop(6, 5, { scale: [0.3, 0.3], ratio: [1, 1] }, random);
      expect(box).toMatchObject({ height: 3, width: 3 });
      seen.add(`${box.top}/${box.left}`);
    }
    const places = [0, 1, 2, 3].flatMap((top) => [0, 1, 2].map((left) => `${top}/${left}`));
    expect(Array.from(seen).toSorted()).toEqual(places);
  });

  it('should be distributed as torchvision draws it', () => {
    for (const { height, width, scale, quantiles } of fixture.crops) {
      const random = stream(3, 'test', height, width, ...scale);
      const boxes = Array.from({ length: 4000 }, () => drawCrop(height, width, { scale }, random));
      const measures = {
        area: boxes.map((box) => (box.height * box.width) / (height * width)),
        logRatio: boxes.map((box) => Math.log(box.width / box.height)),
        centreY: boxes.map((box) => (box.top + box.height / 2) / height),
        centreX: boxes.map((box) => (box.left + box.width / 2) / width),
      };
      for (const [name, expected] of Object.entries(quantiles)) {
        const sorted = measures[name as keyof typeof measures].sort((a, b) => a - b);
        const actual = fixture.probabilities.map((p) => sorted[Math.round(p * (sorted.length - 1))]!);
        // Four standard errors of a quantile are 0.03 of the range; sides are whole pixels besides.
        const tolerance = 0.03 + (Math.min(height, width) < 50 ? 0.03 : 0);
        expect({ name, difference: largestDifference(actual, expected) < tolerance }).toEqual({
          name,
          difference: true,
        });
      }
    }
  });

  it('should draw areas and log ratios uniformly if every box fits', () => {
    const random = stream(1, 'test');
    const boxes = Array.from({ length: 2000 }, () => drawCrop(2000, 2000, { scale: [0.2, 0.6] }, random));
    const areas = boxes.map(({ height, width }) => (height * width) / 4e6);
    const logRatios = boxes.map(({ height, width }) => Math.log(width / height));
    expect(kolmogorovDistance(areas, 0.2, 0.6)).toBeLessThan(1.63 / Math.sqrt(2000));
    expect(kolmogorovDistance(logRatios, Math.log(3 / 4), Math.log(4 / 3))).toBeLessThan(1.63 / Math.sqrt(2000));
  });
});

/** Largest distance from the uniform distribution on [low, high]; above 1.63/√n in one sample of a hundred. */
function kolmogorovDistance(values: number[], low: number, high: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.max(...sorted.map((v, i) => Math.abs((v - low) / (high - low) - (i + 0.5) / sorted.length)));
}

describe('a random resized crop', () => {
  const image = byteImage(fixture.image);

  it('should be the resampled box', () => {
    const view = viewPixels(randomResizedCrop(image, 8, { scale: [0.2, 1] }, stream(0, 'test')));
    expect(view).toMatchObject({ height: 8, width: 8 });
    expect(view.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  });

  it('should give the same bytes for the same stream, and others for another', () => {
    const crop = (seed: number) =>
      viewPixels(randomResizedCrop(image, 8, { scale: [0.2, 1] }, stream(seed, 'test'))).data;
    expect(crop(0)).toEqual(crop(0));
    expect(crop(0)).not.toEqual(crop(1));
  });
});

describe('the mirror image', () => {
  it('should swap left and right, not the channels or rows', () => {
    const data = Float32Array.from({ length: 18 }, (_, i) => i);
    expect(Array.from(horizontalFlip({ data, height: 2, width: 3 }).data)).toEqual([
      6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11,
    ]);
  });
});

describe('the view of evaluation', () => {
  it('should take an image of the right size as it is', () => {
    const image: ByteImage = { data: Uint8Array.from({ length: 48 }, (_, i) => 5 * i), height: 4, width: 4 };
    expect(viewPixels(evaluationView(image, 4)).data).toEqual(Float32Array.from(image.data, (v) => v / 255));
  });

  it('should have the place of torchvision, set up as in MAE', () => {
    const expected = fixture.boxesOfEvaluation;
    expect(expected.map((e) => ({ ...e, box: evaluationBox(e.height, e.width, e.size) }))).toEqual(expected);
  });

  it.each([
    [32, 36], // 36.57
    [224, 256],
    [225, 225], // above 224 pixels nothing is cut off the shorter side
    [384, 384],
  ])('should enlarge the shorter side for %i pixels to %i', (size, shorter) => {
    expect(evaluationBox(500, 400, size).width).toBe(shorter);
  });

  it.each(fixture.centred)('should match torchvision on $height×$width at $size', (example) => {
    const view = viewPixels(evaluationView(byteImage(example), example.size));
    expect(view).toMatchObject({ height: example.size, width: example.size });
    expect(
      largestDifference(
        view.data.map((v) => v * 255),
        bytesOf(example.view),
      ),
    ).toBeLessThan(1.5);
  });
});
