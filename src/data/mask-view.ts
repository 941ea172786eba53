/**
 * Views of an image together with its mask: a random crop to train on, and the windows that evaluation sees. Images are
 * resampled (bicubic, antialiased); of a mask, each pixel is the nearest one, since classes have no mean.
 */
import type { ByteImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import { filterTaps, sliceTaps } from '../common/resample.js';
import type { View } from '../common/view.js';
import { drawCrop } from './augment.js';
import type { ClassMask } from './target.js';

/** A view of size × size, and the classes of its pixels, row by row. */
export interface MaskedView {
  readonly view: View;
  readonly classes: Uint8Array;
}

export interface MaskAugmentation {
  /** Area range of the random resized crop. */
  readonly cropScale: readonly [number, number];
  /** Whether half of the views are mirrored. */
  readonly flip: boolean;
}

/** A random resized crop, mirrored or not, of image and mask alike. */
export function randomMaskedView(
  image: ByteImage,
  mask: ClassMask,
  size: number,
  { cropScale, flip }: MaskAugmentation,
  random: Random,
): MaskedView {
  const { top, left, height, width } = drawCrop(image.height, image.width, { scale: cropScale }, random);
  const mirrored = flip && random.uniform() < 0.5;
  const [rows, columns] = [filterTaps('bicubic', height, size), filterTaps('bicubic', width, size)];
  const nearestColumns = nearestPixels(width, size).map((x) => left + x);
  return {
    view: { image, top, left, rows, columns, mirrored },
    classes: pick(
      mask,
      nearestPixels(height, size).map((y) => top + y),
      mirrored ? nearestColumns.toReversed() : nearestColumns,
    ),
  };
}

/** A window of the resized image, and the part of it that the window is scored on: each pixel belongs to one window. */
export interface Window extends MaskedView {
  /** Rows and columns of the window, from the first to before the second. */
  readonly scored: { readonly rows: readonly [number, number]; readonly columns: readonly [number, number] };
}

/**
 * The windows of size × size that cover an image whose shorter side is resized to `size`. An image of size × size is
 * one window as it is. If windows overlap, a pixel belongs to the window whose centre is nearer.
 */
export function windowsOf(image: ByteImage, mask: ClassMask, size: number): Window[] {
  const shorter = Math.min(image.height, image.width);
  const resized = (side: number): number => Math.max(size, Math.round((side * size) / shorter));
  const [tall, wide] = [resized(image.height), resized(image.width)];
  const [tops, lefts] = [offsets(tall, size), offsets(wide, size)];
  const asItIs = tall === image.height && wide === image.width;
  const taps = (from: number, to: number) => filterTaps(asItIs ? 'area' : 'bicubic', from, to);
  const [rows, columns] = [taps(image.height, tall), taps(image.width, wide)];
  const [allRows, allColumns] = [nearestPixels(image.height, tall), nearestPixels(image.width, wide)];
  return tops.flatMap((top, i) =>
    lefts.map((left, j): Window => ({
      view: {
        image,
        top: 0,
        left: 0,
        rows: sliceTaps(rows, top, size),
        columns: sliceTaps(columns, left, size),
        mirrored: false,
      },
      classes: pick(mask, allRows.slice(top, top + size), allColumns.slice(left, left + size)),
      scored: { rows: shareOf(tops, i, size), columns: shareOf(lefts, j, size) },
    })),
  );
}

/** Evenly spread beginnings of the fewest windows that cover a side. */
function offsets(side: number, size: number): number[] {
  const count = Math.ceil(side / size);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, i) => Math.round((i * (side - size)) / (count - 1)));
}

/** The part of a window that is nearer to its centre than to those of its neighbours. */
function shareOf(starts: readonly number[], i: number, size: number): [number, number] {
  const own = starts[i]!;
  const border = (a: number, b: number): number => Math.round((a + b + size) / 2);
  const from = i === 0 ? own : border(starts[i - 1]!, own);
  const to = i === starts.length - 1 ? own + size : border(own, starts[i + 1]!);
  return [from - own, to - own];
}

/** The index of the input pixel in which the centre of each output pixel lies. */
export function nearestPixels(input: number, output: number): number[] {
  return Array.from({ length: output }, (_, k) => Math.min(input - 1, Math.floor(((k + 0.5) * input) / output)));
}

function pick({ data, width }: ClassMask, rows: readonly number[], columns: readonly number[]): Uint8Array {
  const classes = new Uint8Array(rows.length * columns.length);
  let to = 0;
  for (const row of rows) for (const column of columns) classes[to++] = data[row * width + column]!;
  return classes;
}
