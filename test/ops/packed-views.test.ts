/**
 * Views in the layout for a device, decoded by the definitions of `PackedViews` and `VIEW_FIELDS`, equal the arrays of
 * `viewPixels`. This tests the input of the kernel on machines without one.
 */
import * as tf from '@tensorflow/tfjs';
import type { ByteImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import { viewPixels, type View } from '../../src/common/view.js';
import { evaluationView, randomResizedCrop } from '../../src/data/augment.js';
import { CROP_KERNEL, cropViews, packViews, VIEW_FIELDS, type CropAttributes } from '../../src/ops/crop.js';

function noise(height: number, width: number): ByteImage {
  const random = stream(5, 'bytes', height, width);
  return { data: Uint8Array.from({ length: height * width * 3 }, () => random.integer(256)), height, width };
}

/** The panorama tests rows that are cropped; the image of 1 × 1 tests three bytes, which are not a whole word. */
const SOURCES = [noise(32, 32), noise(7, 5), noise(1, 1), noise(60, 90), noise(11, 213)];

function randomViews(size: number): View[] {
  return SOURCES.flatMap((image, i) =>
    [false, true].map((mirrored) => {
      const random = stream(2, 'crop', i, Number(mirrored));
      return { ...randomResizedCrop(image, size, { scale: [0.2, 1] }, random), mirrored };
    }),
  );
}

interface Packed extends Pick<CropAttributes, 'pieces' | 'size'> {
  table: ArrayLike<number>;
  weights: ArrayLike<number>;
}

/** The views of a batch, one pixel after another. */
function unpack({ pieces, size, table, weights }: Packed, [batch, height, width]: readonly number[]): number[] {
  const bytes = new Uint8Array(size);
  for (const { at, bytes: piece } of pieces) bytes.set(piece, at);
  const values: number[] = [];
  for (let view = 0; view < batch!; view++) {
    const field = (name: (typeof VIEW_FIELDS)[number]): number =>
      table[view * VIEW_FIELDS.length + VIEW_FIELDS.indexOf(name)]!;
    for (let row = 0; row < height!; row++) {
      for (let place = 0; place < width!; place++) {
        const column = field('mirrored') === 1 ? width! - 1 - place : place;
        for (let channel = 0; channel < 3; channel++) {
          let sum = 0;
          for (let r = 0; r < field('rowTaps'); r++) {
            for (let c = 0; c < field('columnTaps'); c++) {
              const y = table[field('rowFirsts') + row]! + r;
              const x = table[field('columnFirsts') + column]! + c;
              sum +=
                weights[field('rowWeights') + row * field('rowTaps') + r]! *
                weights[field('columnWeights') + column * field('columnTaps') + c]! *
                bytes[field('offset') + y * field('stride') + x * 3 + channel]!;
            }
          }
          values.push(Math.min(1, Math.max(0, sum / 255)));
        }
      }
    }
  }
  return values;
}

function expectViews(values: readonly number[], views: readonly View[]): void {
  const expected = views.flatMap((view) => [...viewPixels(view).data]);
  expect(values).toHaveLength(expected.length);
  expect(Math.max(...expected.map((value, i) => Math.abs(value - values[i]!)))).toBeLessThan(1e-6);
}

describe('packed views', () => {
  it.each([1, 6, 17])('contain random crops of %i px', (size) => {
    const views = randomViews(size);
    expectViews(unpack(packViews(views), [views.length, size, size]), views);
  });

  it('contain evaluation views', () => {
    const views = SOURCES.map((image) => evaluationView(image, 12));
    expectViews(unpack(packViews(views), [views.length, 12, 12]), views);
  });

  it('consist of whole words, one after another', () => {
    const { pieces, size } = packViews(randomViews(6));
    let end = 0;
    for (const { at, bytes } of pieces) {
      expect(at).toBe(end);
      expect(bytes.length % 4).toBe(0);
      end += bytes.length;
    }
    expect(size % 4).toBe(0);
    expect(size).toBeGreaterThanOrEqual(end);
  });

  it('are padded by at most an eighth', () => {
    for (let count = 1; count < 40; count++) {
      const views = Array.from({ length: count }, () => evaluationView(SOURCES[0]!, 8));
      const { pieces, size, weights } = packViews(views);
      const taken = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
      expect(size).toBeGreaterThanOrEqual(taken);
      expect(size).toBeLessThan(taken * 1.125 + 4);
      const [rows, columns] = [views[0]!.rows.weights.length, views[0]!.columns.weights.length];
      expect(weights.length).toBeLessThanOrEqual((rows + columns) * count * 1.125 + 1);
    }
  });

  it('contain taps that several views share only once', () => {
    const [view] = randomViews(6);
    const [one, many] = [packViews([view!]), packViews([view!, view!, view!])];
    expect(many.weights).toHaveLength(one.weights.length);
  });

  it('copy at most twice the pixels that are needed of an image', () => {
    const panorama = noise(4, 900);
    const random = stream(2, 'crop of a panorama');
    const { pieces } = packViews([randomResizedCrop(panorama, 4, { scale: [0.001, 0.002] }, random)]);
    expect(pieces[0]!.bytes.length).toBeLessThan(panorama.data.length / 4);
  });
});

describe('a device with a kernel for views', () => {
  const calls: CropAttributes[] = [];

  beforeAll(async () => {
    await tf.setBackend('cpu');
    tf.registerKernel({
      kernelName: CROP_KERNEL,
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs }) => {
        const attributes = attrs as unknown as CropAttributes;
        calls.push(attributes);
        const [table, weights] = [inputs.table as tf.Tensor, inputs.weights as tf.Tensor];
        const shape: [number, number, number, number] = [attributes.batch, attributes.height, attributes.width, 3];
        const packed = { ...attributes, table: table.dataSync(), weights: weights.dataSync() };
        return tf.tensor4d(unpack(packed, shape), shape);
      },
    });
  });
  afterAll(() => {
    tf.unregisterKernel(CROP_KERNEL, 'cpu');
  });

  const crop = (views: readonly View[], mostBytes?: number): number[] =>
    tf.tidy(() => [...cropViews(views, mostBytes).dataSync()]);

  it('is called once if all views fit', () => {
    calls.length = 0;
    expectViews(crop(randomViews(6)), randomViews(6));
    expect(calls.map(({ batch }) => batch)).toEqual([10]);
  });

  it('is called with no more bytes than its limit, except for a single view that needs more', () => {
    calls.length = 0;
    expectViews(crop(randomViews(6), 4000), randomViews(6));
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.some(({ batch }) => batch > 1)).toBe(true);
    for (const { batch, pieces } of calls) {
      const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
      expect(batch === 1 || bytes <= 4000).toBe(true);
    }
  });
});
