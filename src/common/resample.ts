/**
 * Separable resampling of images outside the tensor engine, as sparse filter taps along each axis. As dense matrices,
 * the same taps resample differentiably in losses. The tensor op is `src/ops/resample.ts`.
 */
import type { ByteImage, FloatImage } from './image.js';
import { newPixels } from './working-memory.js';

/**
 * - `bicubic`, `bilinear`: Keys (a = −0.5) and triangle filters, widened when shrinking (antialiased); at a border the
 *   filter is cut and renormalised. This is Pillow's resize and torchvision's `antialias=True`.
 * - `box`: Pillow's, the unweighted mean of the inputs whose centres lie in an output's box.
 * - `area`: adaptive average pooling, the unweighted mean of the inputs that an output touches (PAPER.md §2).
 */
export type ResampleKind = 'bicubic' | 'bilinear' | 'box' | 'area';

/** One axis of a resampling: output pixel k is Σ weights[k·width + t] · input[first[k] + t] over t < width. */
export interface FilterTaps {
  /** Number of taps of every output pixel; narrower filters are padded with zero weights. */
  readonly width: number;
  /** [output], not decreasing; first[k] + width never exceeds the input. */
  readonly first: Int32Array;
  /** [output × width]; each row sums to 1. */
  readonly weights: Float64Array;
}

/** A rectangle of whole pixels inside an image. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

interface Filter {
  /** Half of the filter's width, in pixels of the coarser grid. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const FILTERS: Record<Exclude<ResampleKind, 'area'>, Filter> = {
  box: { support: 0.5, weight: (x) => Number(x > -0.5 && x <= 0.5) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(distance) {
      const a = -0.5;
      const x = Math.abs(distance);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
};

/** Random resized crops have few different sizes; the limit only keeps very large images from filling the memory. */
const MOST_CACHED = 4096;
const cached = new Map<string, FilterTaps>();

/**
 * The taps that map `input` pixels to `output` pixels, both positive. Shared between calls: callers must not change
 * them.
 */
export function filterTaps(kind: ResampleKind, input: number, output: number): FilterTaps {
  const key = `${kind}/${input}/${output}`;
  let taps = cached.get(key);
  if (taps === undefined) {
    if (cached.size >= MOST_CACHED) cached.clear();
    taps = packTaps(input, kind === 'area' ? areaRows(input, output) : filterRows(FILTERS[kind], input, output));
    cached.set(key, taps);
  }
  return taps;
}

interface TapRow {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Output k averages inputs ⌊k·I/O⌋ … ⌈(k+1)·I/O⌉ − 1. */
function areaRows(input: number, output: number): TapRow[] {
  return Array.from({ length: output }, (_, k) => {
    const first = Math.floor((k * input) / output);
    const count = Math.ceil(((k + 1) * input) / output) - first;
    return { first, weights: new Array<number>(count).fill(1 / count) };
  });
}

function filterRows({ support, weight }: Filter, input: number, output: number): TapRow[] {
  const scale = input / output;
  const stretch = Math.max(scale, 1);
  const radius = support * stretch;
  return Array.from({ length: output }, (_, k) => {
    const centre = (k + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - radius + 0.5));
    const end = Math.min(input, Math.trunc(centre + radius + 0.5));
    const raw = Array.from({ length: end - first }, (_, t) => weight((first + t + 0.5 - centre) / stretch));
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((value) => value / sum) };
  });
}

function packTaps(input: number, rows: readonly TapRow[]): FilterTaps {
  const width = Math.max(...rows.map(({ weights }) => weights.length));
  const taps = { width, first: new Int32Array(rows.length), weights: new Float64Array(rows.length * width) };
  rows.forEach((row, k) => {
    // The padding is placed before the taps if it would otherwise extend beyond the end of the input.
    const first = Math.min(row.first, input - width);
    taps.first[k] = first;
    taps.weights.set(row.weights, k * width + row.first - first);
  });
  return taps;
}

/** The taps of only the outputs `start` … `start + count − 1`, to resize and crop in one step. */
export function sliceTaps({ width, first, weights }: FilterTaps, start: number, count: number): FilterTaps {
  return {
    width,
    first: first.subarray(start, start + count),
    weights: weights.subarray(start * width, (start + count) * width),
  };
}

/** The same map as a matrix: [output × input], row-major. */
export function denseMatrix(kind: ResampleKind, input: number, output: number): Float32Array {
  const { width, first, weights } = filterTaps(kind, input, output);
  const matrix = new Float32Array(output * input);
  for (let k = 0; k < output; k++) {
    for (let t = 0; t < width; t++) matrix[k * input + first[k]! + t]! += weights[k * width + t]!;
  }
  return matrix;
}

/** The whole of an image. */
export function wholeImage({ height, width }: { readonly height: number; readonly width: number }): Box {
  return { top: 0, left: 0, height, width };
}

/**
 * Crops a box from an image and resamples it; pixels outside the box have no influence.
 *
 * @param image bytes, or floats in [0, 1]
 * @returns [height × width × 3] in [0, 1]; overshoots of the cubic filter are clamped
 */
export function resampleImage(
  image: ByteImage | FloatImage,
  box: Box,
  height: number,
  width: number,
  kind: ResampleKind,
): FloatImage {
  return applyTaps(image, box, filterTaps(kind, box.height, height), filterTaps(kind, box.width, width));
}

/** The smallest box with all pixels that the taps refer to. */
export function neededBox(rows: FilterTaps, columns: FilterTaps): Box {
  const [top, left] = [rows.first[0]!, columns.first[0]!];
  const height = rows.first.at(-1)! + rows.width - top;
  return { top, left, height, width: columns.first.at(-1)! + columns.width - left };
}

/** Working memory, as large as the largest image so far requires. */
let pixels = new Float32Array(0);
let narrowed = new Float32Array(0);

/** {@link resampleImage} with given taps. The box must contain every pixel that the taps refer to. */
export function applyTaps(
  image: ByteImage | FloatImage,
  { top, left }: { readonly top: number; readonly left: number },
  rows: FilterTaps,
  columns: FilterTaps,
): FloatImage {
  const [height, width] = [rows.first.length, columns.first.length];
  const needed = neededBox(rows, columns);

  const sourceLength = needed.height * needed.width * 3;
  if (pixels.length < sourceLength) pixels = new Float32Array(sourceLength);
  copyBox(image, { ...needed, top: top + needed.top, left: left + needed.left }, pixels);

  const narrowLength = needed.height * width * 3;
  if (narrowed.length < narrowLength) narrowed = new Float32Array(narrowLength);
  resampleRows(pixels, needed, columns, narrowed);

  const data = newPixels(height * width * 3);
  resampleColumns(narrowed, needed.top, width * 3, rows, data);
  return { data, height, width };
}

/** Copies a box as floats in [0, 1], so that the loops below run on a single type of array. */
function copyBox(image: ByteImage | FloatImage, box: Box, out: Float32Array): void {
  const rowLength = box.width * 3;
  const bytes = image.data instanceof Uint8Array ? image.data : undefined;
  for (let y = 0; y < box.height; y++) {
    const from = ((box.top + y) * image.width + box.left) * 3;
    const to = y * rowLength;
    if (bytes === undefined) out.set(image.data.subarray(from, from + rowLength), to);
    else for (let i = 0; i < rowLength; i++) out[to + i] = bytes[from + i]! / 255;
  }
}

function resampleRows(source: Float32Array, box: Box, { width: taps, first, weights }: FilterTaps, out: Float32Array) {
  let to = 0;
  for (let y = 0; y < box.height; y++) {
    const row = y * box.width;
    for (let x = 0; x < first.length; x++) {
      let from = (row + first[x]! - box.left) * 3;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let t = x * taps; t < (x + 1) * taps; t++) {
        const weight = weights[t]!;
        red += weight * source[from]!;
        green += weight * source[from + 1]!;
        blue += weight * source[from + 2]!;
        from += 3;
      }
      out[to] = red;
      out[to + 1] = green;
      out[to + 2] = blue;
      to += 3;
    }
  }
}

function resampleColumns(
  source: Float32Array,
  top: number,
  rowLength: number,
  { width: taps, first, weights }: FilterTaps,
  out: Float32Array,
) {
  for (let y = 0; y < first.length; y++) {
    const start = (first[y]! - top) * rowLength;
    for (let i = 0; i < rowLength; i++) {
      let sum = 0;
      let from = start + i;
      for (let t = y * taps; t < (y + 1) * taps; t++) {
        sum += weights[t]! * source[from]!;
        from += rowLength;
      }
      out[y * rowLength + i] = sum < 0 ? 0 : sum > 1 ? 1 : sum;
    }
  }
}
