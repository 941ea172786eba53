import type { FloatImage } from '../../src/common/image.js';
import { applyTaps, denseMatrix, filterTaps, resampleImage, sliceTaps, wholeImage } from '../../src/common/resample.js';
import { byteImage, bytesOf, fixture, floatsOf, largestDifference } from '../data/fixture.js';

const image = byteImage(fixture.image);

/** One row of grey pixels. */
function row(...values: number[]): FloatImage {
  return { data: Float32Array.from(values.flatMap((v) => [v, v, v])), height: 1, width: values.length };
}
const greys = ({ data }: FloatImage): number[] => Array.from(data).filter((_, i) => i % 3 === 0);

describe('filter taps', () => {
  it('should average whole pixels when an area shrinks by a whole factor', () => {
    expect(Array.from(denseMatrix('area', 4, 2))).toEqual([0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5]);
  });

  it('should average one or two pixels in a pattern of nine outputs for seven inputs when an area grows 224 to 288', () => {
    const matrix = denseMatrix('area', 224, 288);
    const counts = Array.from(
      { length: 288 },
      (_, k) => matrix.subarray(k * 224, (k + 1) * 224).filter(Boolean).length,
    );
    expect(counts.slice(0, 9)).toEqual([1, 2, 2, 2, 1, 2, 2, 2, 1]);
    expect(counts.slice(9, 18)).toEqual(counts.slice(0, 9));
  });

  it('should average two or three pixels when an area shrinks 288 to 224', () => {
    const matrix = denseMatrix('area', 288, 224);
    const counts = Array.from(
      { length: 224 },
      (_, k) => matrix.subarray(k * 288, (k + 1) * 288).filter(Boolean).length,
    );
    expect(new Set(counts)).toEqual(new Set([2, 3]));
  });

  it('should double a row bilinearly with weights of a quarter and three', () => {
    expect(Array.from(denseMatrix('bilinear', 2, 4))).toEqual([1, 0, 0.75, 0.25, 0.25, 0.75, 0, 1]);
  });

  it('should truncate and renormalise the bicubic filter at the border', () => {
    // Output 0 of 4 is at 0.25 − 0.5 = −0.25 of the two inputs: distances 0.25 and 1.25.
    const near = 1.5 * 0.25 ** 3 - 2.5 * 0.25 ** 2 + 1;
    const far = -0.5 * (1.25 ** 3 - 5 * 1.25 ** 2 + 8 * 1.25 - 4);
    const matrix = denseMatrix('bicubic', 2, 4);
    expect(matrix[0]).toBeCloseTo(near / (near + far), 6);
    expect(matrix[1]).toBeCloseTo(far / (near + far), 6);
  });

  it.each(['bicubic', 'bilinear', 'area'] as const)('should be the identity in %s at the same size', (kind) => {
    const matrix = denseMatrix(kind, 5, 5);
    expect(Array.from(matrix)).toEqual(Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0)));
  });

  it.each(['bicubic', 'bilinear', 'area'] as const)('should keep every %s tap inside and every sum at 1', (kind) => {
    const faults: string[] = [];
    for (let input = 1; input <= 24; input++) {
      for (let output = 1; output <= 24; output++) {
        const { width, first, weights } = filterTaps(kind, input, output);
        const sums = Array.from(first, (_, k) =>
          weights.subarray(k * width, (k + 1) * width).reduce((a, b) => a + b, 0),
        );
        const sound =
          first.length === output &&
          first.every((start, k) => start >= (k === 0 ? 0 : first[k - 1]!) && start + width <= input) &&
          sums.every((sum) => Math.abs(sum - 1) < 1e-12);
        if (!sound) faults.push(`${input} to ${output}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

describe('resampling an image', () => {
  it('should average neighbours of a row', () => {
    expect(greys(resampleImage(row(0, 0.5, 1, 0.5), wholeImage(row(0, 0, 0, 0)), 1, 2, 'area'))).toEqual([0.25, 0.75]);
  });

  it('should not look outside its box', () => {
    const box = { top: 0, left: 1, height: 1, width: 2 };
    expect(greys(resampleImage(row(1, 0.5, 0.5, 1), box, 1, 5, 'bicubic'))).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
  });

  it('should clamp overshoots of the cubic filter', () => {
    const values = greys(resampleImage(row(0, 0, 1, 1), wholeImage(row(0, 0, 1, 1)), 1, 16, 'bicubic'));
    expect(Math.min(...values)).toBe(0);
    expect(Math.max(...values)).toBe(1);
  });

  it('should keep the channels separate', () => {
    const { data } = resampleImage(
      { data: Uint8Array.of(255, 0, 51), height: 1, width: 1 },
      wholeImage({ height: 1, width: 1 }),
      2,
      2,
      'bicubic',
    );
    expect(largestDifference(data, [1, 0, 0.2, 1, 0, 0.2, 1, 0, 0.2, 1, 0, 0.2])).toBeLessThan(1e-7);
  });

  it('should give the same result for bytes and floats', () => {
    const floats = { ...image, data: Float32Array.from(image.data, (v) => v / 255) };
    const box = { top: 2, left: 3, height: 9, width: 8 };
    expect(resampleImage(floats, box, 6, 11, 'bicubic')).toEqual(resampleImage(image, box, 6, 11, 'bicubic'));
  });

  it('should give the part of a resized image that sliced taps ask for', () => {
    const whole = resampleImage(image, wholeImage(image), 11, 13, 'bicubic');
    const [rows, columns] = [filterTaps('bicubic', image.height, 11), filterTaps('bicubic', image.width, 13)];
    const part = applyTaps(image, { top: 0, left: 0 }, sliceTaps(rows, 4, 5), sliceTaps(columns, 6, 3));
    const expected = Array.from({ length: 5 }, (_, y) =>
      Array.from(whole.data.subarray(((y + 4) * 13 + 6) * 3, ((y + 4) * 13 + 9) * 3)),
    );
    expect(Array.from(part.data)).toEqual(expected.flat());
  });

  it.each(
    fixture.resized.map(
      (example) =>
        [`${example.kind} ${JSON.stringify(example.box)} to ${example.height}×${example.width}`, example] as const,
    ),
  )(
    'should match PyTorch, and Pillow within its rounding: %s',
    (_name, { kind, box, height, width, torch, pillow }) => {
      const { data } = resampleImage(image, box, height, width, kind);
      expect(largestDifference(data, floatsOf(torch))).toBeLessThan(1e-6);
      expect(
        largestDifference(
          data.map((v) => v * 255),
          bytesOf(pillow),
        ),
      ).toBeLessThan(1.5);
    },
  );

  it.each(fixture.pooled)('should match adaptive average pooling to $height×$width', ({ height, width, torch }) => {
    const { data } = resampleImage(image, wholeImage(image), height, width, 'area');
    expect(largestDifference(data, floatsOf(torch))).toBeLessThan(1e-6);
  });
});
