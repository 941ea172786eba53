/**
 * Views of images, cut out and resampled on the device: only the images' bytes and small tables are uploaded.
 * `viewPixels` in `src/common/view.ts` defines the result, and computes it if the backend has no kernel.
 */
import * as tf from '@tensorflow/tfjs';
import { stackPixels } from '../common/image.js';
import { neededBox, type FilterTaps } from '../common/resample.js';
import { viewPixels, type View } from '../common/view.js';
import { hasFusedKernel } from './op.js';

/**
 * Kernel name. Takes `table` (int32) and `weights` (float32), as {@link PackedViews} holds them, and
 * {@link CropAttributes}; returns [batch, height, width, 3].
 */
export const CROP_KERNEL = 'VitCrop';

export interface CropAttributes {
  batch: number;
  height: number;
  width: number;
  /** The pixels that the views need, to be copied into a buffer of `size` bytes. */
  pieces: readonly Piece[];
  size: number;
}

/** Bytes and their offset in the buffer. Offset and length are multiples of four: a device requires this of uploads. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Whether the active backend has a kernel that cuts out views. */
export const hasCropKernel = (): boolean => hasFusedKernel(CROP_KERNEL);

/** The fields of each view in {@link PackedViews.table}, in this order. */
export const VIEW_FIELDS = [
  'offset', // of the first pixel that is needed, in bytes
  'stride', // bytes from one row of pixels to the next
  'mirrored', // 0 or 1
  // For each axis: the number of taps of an output pixel; the index in the table of the list of their first pixels,
  // which count from the box's edge; the index in `weights` of their weights
  ...['rowTaps', 'rowFirsts', 'rowWeights'],
  ...['columnTaps', 'columnFirsts', 'columnWeights'],
] as const;

export interface PackedViews {
  readonly pieces: readonly Piece[];
  /** Bytes of all pieces, rounded up. */
  readonly size: number;
  /** {@link VIEW_FIELDS} of each view, then the first pixels that they refer to, then unused space. */
  readonly table: Int32Array;
  readonly weights: Float32Array;
}

/** Every device can bind a buffer of this size, in bytes. */
const MOST_BYTES = 2 ** 27;

/**
 * Cuts out views of the same output size.
 *
 * @param views at least one
 * @param mostBytes limit for one kernel call; a single view may exceed it
 * @returns [batch, height, width, 3] in [0, 1]
 */
export function cropViews(views: readonly View[], mostBytes = MOST_BYTES): tf.Tensor4D {
  const [height, width] = [views[0]!.rows.first.length, views[0]!.columns.first.length];
  if (!hasCropKernel()) return tf.tensor4d(stackPixels(views.map(viewPixels)), [views.length, height, width, 3]);
  return tf.tidy(() => {
    const parts = batchesOf(views, mostBytes).map((part): tf.Tensor4D => {
      const { table, weights, ...uploads } = packViews(part);
      const attributes: CropAttributes = { batch: part.length, height, width, ...uploads };
      const inputs = { table: tf.tensor1d(table), weights: tf.tensor1d(weights) };
      return tf.engine().runKernel(CROP_KERNEL, inputs, { ...attributes } as unknown as tf.NamedAttrMap);
    });
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
  });
}

/** Splits a batch into parts whose views need at most `most` bytes. The estimate takes the whole rows of each view. */
function batchesOf(views: readonly View[], most: number): View[][] {
  const parts: View[][] = [];
  let filled = Infinity;
  for (const view of views) {
    const { height, width } = neededBox(view.rows, view.columns);
    const size = fourfold(3 * height * Math.min(view.image.width, MOST_BETWEEN * width));
    if (filled + size > most) {
      parts.push([]);
      filled = 0;
    }
    parts.at(-1)!.push(view);
    filled += size;
  }
  return parts;
}

/** Whole rows of an image are uploaded as they are, unless they have more than this many times the bytes needed. */
const MOST_BETWEEN = 2;

const fourfold = (length: number): number => 4 * Math.ceil(length / 4);

/** Bytes that contain the pixels of a view, the first of them at `start`. */
interface Pixels {
  readonly data: Uint8Array;
  readonly start: number;
  readonly length: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
}

function pixelsOf({ image, top, left, rows, columns }: View): Pixels {
  const box = neededBox(rows, columns);
  const [stride, rowLength] = [image.width * 3, box.width * 3];
  const start = (top + box.top) * stride + (left + box.left) * 3;
  const asItLies = { data: image.data, start, length: (box.height - 1) * stride + rowLength, stride };
  const needed = box.height * rowLength;
  if (asItLies.length <= MOST_BETWEEN * needed) return asItLies;
  const data = new Uint8Array(needed); // a narrow crop of a wide image
  for (let y = 0; y < box.height; y++) {
    data.set(image.data.subarray(start + y * stride, start + y * stride + rowLength), y * rowLength);
  }
  return { data, start: 0, length: needed, stride: rowLength };
}

/**
 * Arranges views for the kernel. Taps that several views share are stored once. Pixels are rarely copied: most crops of
 * a photograph are about as wide as the image, and the pixels between their rows are uploaded too.
 */
export function packViews(views: readonly View[]): PackedViews {
  const pieces: Piece[] = [];
  const fields: number[] = [];
  const taps = new Taps(views.length * VIEW_FIELDS.length);
  let at = 0;
  for (const view of views) {
    const { data, start, length, stride } = pixelsOf(view);
    const bytes = wholeWords(data, start, length);
    pieces.push({ at, bytes: bytes.piece });
    fields.push(at + bytes.skipped, stride, Number(view.mirrored));
    fields.push(...taps.placeOf(view.rows), ...taps.placeOf(view.columns));
    at += bytes.piece.length;
  }
  const { firsts, weights } = taps.all();
  const table = new Int32Array(roomFor(fields.length + firsts.length));
  table.set(fields);
  table.set(firsts, fields.length);
  return { pieces, size: 4 * roomFor(at / 4), table, weights };
}

/** These bytes and up to three more, before or after them, so that the length is a multiple of four. */
function wholeWords(data: Uint8Array, start: number, length: number): { piece: Uint8Array; skipped: number } {
  const whole = fourfold(length);
  const begin = Math.max(0, Math.min(start, data.length - whole));
  if (begin + whole <= data.length) {
    return { piece: data.subarray(begin, begin + whole), skipped: start - begin };
  }
  const piece = new Uint8Array(whole); // an image of 1 × 1
  piece.set(data.subarray(start, start + length));
  return { piece, skipped: 0 };
}

/** Filter taps, stored one after another. */
class Taps {
  readonly #places = new Map<FilterTaps, readonly [number, number, number]>();
  readonly #start: number;
  #firsts = 0;
  #weights = 0;

  /** @param start Index in the table where the lists of first pixels begin. */
  constructor(start: number) {
    this.#start = start;
  }

  /** The number of taps of an output pixel, and the indices of their first pixels and weights. */
  placeOf(taps: FilterTaps): readonly [number, number, number] {
    let place = this.#places.get(taps);
    if (place === undefined) {
      place = [taps.width, this.#start + this.#firsts, this.#weights];
      this.#places.set(taps, place);
      this.#firsts += taps.first.length;
      this.#weights += taps.weights.length;
    }
    return place;
  }

  all(): { firsts: Int32Array; weights: Float32Array } {
    const firsts = new Int32Array(this.#firsts);
    const weights = new Float32Array(roomFor(this.#weights));
    for (const [taps, [, first, weight]] of this.#places) {
      const at = first - this.#start;
      for (let k = 0; k < taps.first.length; k++) firsts[at + k] = taps.first[k]! - taps.first[0]!;
      weights.set(taps.weights, weight);
    }
    return { firsts, weights };
  }
}

/**
 * Rounds a length up to one of few values, eight between a power of two and the next. The device reuses buffers only
 * for equal lengths, and the length of packed views differs in every step.
 */
export function roomFor(length: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(length, 1))) - 3);
  return Math.max(1, Math.ceil(length / step) * step);
}
