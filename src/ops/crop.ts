/**
 * Views of images, cut out and resampled where the images are going: only their bytes and small tables are uploaded. Its
 * definition is `viewPixels` in `src/common/view.ts`, which is what happens where there is no kernel.
 */
import * as tf from '@tensorflow/tfjs';
import { stackPixels } from '../common/image.js';
import { neededBox, type FilterTaps } from '../common/resample.js';
import { viewPixels, type View } from '../common/view.js';
import { hasFusedKernel } from './op.js';

/**
 * Kernel name. Takes `bytes` (int32, four bytes a word, the first in the lowest bits), `table` (int32) and `weights`
 * (float32), as {@link PackedViews} holds them, and {@link CropAttributes}; returns [batch, height, width, 3].
 */
export const CROP_KERNEL = 'VitCrop';

export interface CropAttributes {
  batch: number;
  height: number;
  width: number;
}

/** Whether the active backend cuts out views itself. */
export const hasCropKernel = (): boolean => hasFusedKernel(CROP_KERNEL);

/** What {@link PackedViews.table} says of each view, in this order. */
export const VIEW_FIELDS = [
  'offset', // of the view's box, in bytes
  'stride', // bytes from a row of the box to the next
  'mirrored', // 0 or 1
  // Of each axis: taps of an output pixel; where in the table their first pixels are listed, within the box; where in
  // `weights` their weights are
  ...['rowTaps', 'rowFirsts', 'rowWeights'],
  ...['columnTaps', 'columnFirsts', 'columnWeights'],
] as const;

export interface PackedViews {
  /** Of each view the pixels that it needs, row-major, and room behind. */
  readonly bytes: Int32Array;
  /** {@link VIEW_FIELDS} of each view, the first pixels that they refer to, and room behind. */
  readonly table: Int32Array;
  readonly weights: Float32Array;
}

/** Every device can bind a buffer of this size. */
const MOST_BYTES = 2 ** 27;

/**
 * Cuts out equally large views.
 *
 * @param views at least one
 * @param mostBytes of one kernel call, but for a view that needs more alone
 * @returns [batch, height, width, 3] in [0, 1]
 */
export function cropViews(views: readonly View[], mostBytes = MOST_BYTES): tf.Tensor4D {
  const [height, width] = [views[0]!.rows.first.length, views[0]!.columns.first.length];
  if (!hasCropKernel()) return tf.tensor4d(stackPixels(views.map(viewPixels)), [views.length, height, width, 3]);
  return tf.tidy(() => {
    const parts = batchesOf(views, mostBytes).map((part): tf.Tensor4D => {
      const { bytes, table, weights } = packViews(part);
      const inputs = { bytes: tf.tensor1d(bytes), table: tf.tensor1d(table), weights: tf.tensor1d(weights) };
      const attributes: CropAttributes = { batch: part.length, height, width };
      return tf.engine().runKernel(CROP_KERNEL, inputs, { ...attributes });
    });
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
  });
}

function batchesOf(views: readonly View[], most: number): View[][] {
  const parts: View[][] = [];
  let filled = Infinity;
  for (const view of views) {
    const size = bytesOf(view);
    if (filled + size > most) {
      parts.push([]);
      filled = 0;
    }
    parts.at(-1)!.push(view);
    filled += size;
  }
  return parts;
}

function bytesOf({ rows, columns }: View): number {
  const { height, width } = neededBox(rows, columns);
  return height * width * 3;
}

/** Lays out views for the kernel. Taps that several of them share are there once. */
export function packViews(views: readonly View[]): PackedViews {
  const bytes = new Uint8Array(4 * roomFor(Math.ceil(views.reduce((sum, view) => sum + bytesOf(view), 0) / 4)));
  const fields: number[] = [];
  const taps = new Taps(views.length * VIEW_FIELDS.length);
  let offset = 0;
  for (const { image, top, left, rows, columns, mirrored } of views) {
    const box = neededBox(rows, columns);
    const stride = box.width * 3;
    fields.push(offset, stride, Number(mirrored), ...taps.placeOf(rows), ...taps.placeOf(columns));
    for (let y = top + box.top; y < top + box.top + box.height; y++, offset += stride) {
      const start = (y * image.width + left + box.left) * 3;
      bytes.set(image.data.subarray(start, start + stride), offset);
    }
  }
  const table = new Int32Array(roomFor(fields.length + taps.firsts.length));
  table.set(fields);
  table.set(taps.firsts, fields.length);
  const weights = new Float32Array(roomFor(taps.weights.length));
  weights.set(taps.weights);
  return { bytes: new Int32Array(bytes.buffer), table, weights };
}

/** Filter taps, one after the other. */
class Taps {
  readonly firsts: number[] = [];
  readonly weights: number[] = [];
  readonly #known = new Map<FilterTaps, readonly [number, number, number]>();
  readonly #start: number;

  /** @param start Where in the table the first pixels begin. */
  constructor(start: number) {
    this.#start = start;
  }

  /** Taps of an output pixel, and where firsts and weights are. */
  placeOf(taps: FilterTaps): readonly [number, number, number] {
    let place = this.#known.get(taps);
    if (place === undefined) {
      place = [taps.width, this.#start + this.firsts.length, this.weights.length];
      this.#known.set(taps, place);
      for (const first of taps.first) this.firsts.push(first - taps.first[0]!);
      for (const weight of taps.weights) this.weights.push(weight);
    }
    return place;
  }
}

/**
 * The next of few lengths, eight between a power of two and the next. Buffers of the device are used again for the same
 * length alone, and that of packed views is another in every step.
 */
function roomFor(length: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(length, 1))) - 3);
  return Math.max(1, Math.ceil(length / step) * step);
}
