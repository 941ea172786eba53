/** The filters of corruptions, as SciPy and OpenCV define them. Images have one value or three interleaved ones per pixel. */

/** Values [height × width × channels], row-major. */
export interface Planes {
  readonly data: Float32Array | Float64Array;
  readonly height: number;
  readonly width: number;
}

type Like<Image extends Planes> = Omit<Image, 'data'> & Pick<Image, 'data'>;

/** The pixels beyond the border: the last pixel, or the image mirrored about the border or about the last pixel. */
export type Border = 'nearest' | 'reflect' | 'reflect-101';

/** The pixel that stands for one at a place beyond the border. */
export function insideBorder(place: number, length: number, border: Border): number {
  if (place >= 0 && place < length) return place;
  if (length === 1) return 0;
  switch (border) {
    case 'nearest':
      return Math.min(Math.max(place, 0), length - 1);
    case 'reflect': {
      const period = 2 * length;
      const within = ((place % period) + period) % period;
      return within < length ? within : period - 1 - within;
    }
    case 'reflect-101': {
      const period = 2 * (length - 1);
      const within = ((place % period) + period) % period;
      return within < length ? within : period - within;
    }
  }
}

export const channelsOf = ({ data, height, width }: Planes): number => data.length / (height * width);

/** A weight at a distance from the pixel. */
export interface Tap {
  readonly dy: number;
  readonly dx: number;
  readonly weight: number;
}

/** The weighted sum of the pixels around each pixel. */
export function correlate<Image extends Planes>(image: Like<Image>, taps: readonly Tap[], border: Border): Image {
  const { data, height, width } = image;
  const channels = channelsOf(image);
  const result = data instanceof Float32Array ? new Float32Array(data.length) : new Float64Array(data.length);
  const weights = Float64Array.from(taps, ({ weight }) => weight);
  // Where each tap reads: its row for each y, and its column for each x.
  const rows = taps.map(({ dy }) => offsets(height, dy, border, width * channels));
  const columns = taps.map(({ dx }) => offsets(width, dx, border, channels));
  const from = new Int32Array(taps.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let t = 0; t < from.length; t++) from[t] = rows[t]![y]! + columns[t]![x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let t = 0; t < from.length; t++) sum += weights[t]! * data[from[t]! + c]!;
        result[to++] = sum;
      }
    }
  }
  return { ...image, data: result } as Image;
}

/** The place inside the border at a distance from each place, times a stride. */
function offsets(length: number, distance: number, border: Border, stride: number): Int32Array {
  const places = new Int32Array(length);
  for (let i = 0; i < length; i++) places[i] = insideBorder(i + distance, length, border) * stride;
  return places;
}

/** A Gaussian filter as SciPy's `gaussian_filter`: separable, cut at ±⌊truncate·σ + ½⌋. */
export function gaussianBlur<Image extends Planes>(
  image: Like<Image>,
  sigma: number,
  { border = 'nearest', truncate = 4 }: { border?: Border; truncate?: number } = {},
): Image {
  const weights = gaussianWeights(sigma, Math.floor(truncate * sigma + 0.5));
  const radius = (weights.length - 1) / 2;
  const along = (axis: 'dx' | 'dy') =>
    weights.map((weight, i): Tap => ({ ...{ dx: 0, dy: 0 }, [axis]: i - radius, weight }));
  return correlate(correlate(image, along('dy'), border), along('dx'), border);
}

/** exp(−i²/2σ²) for −radius ≤ i ≤ radius, which sum to 1. */
export function gaussianWeights(sigma: number, radius: number): number[] {
  const raw = Array.from({ length: 2 * radius + 1 }, (_, i) => {
    return i === radius ? 1 : Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2));
  });
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((weight) => weight / sum);
}

/** Reads an image between its pixels, linearly. The value of channel c at (y, x) of the result is at `place(y, x)`. */
export function warp<Image extends Planes>(
  image: Like<Image>,
  size: { height: number; width: number },
  place: (y: number, x: number) => readonly [y: number, x: number],
  border: Border,
): Image {
  const { data, height, width } = image;
  const channels = channelsOf(image);
  const length = size.height * size.width * channels;
  const result = data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  let to = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const [atY, atX] = place(y, x);
      const [top, left] = [Math.floor(atY), Math.floor(atX)];
      const [dy, dx] = [atY - top, atX - left];
      const upper = insideBorder(top, height, border) * width * channels;
      const lower = insideBorder(top + 1, height, border) * width * channels;
      const west = insideBorder(left, width, border) * channels;
      const east = insideBorder(left + 1, width, border) * channels;
      for (let c = 0; c < channels; c++) {
        const above = (1 - dx) * data[upper + west + c]! + dx * data[upper + east + c]!;
        const below = (1 - dx) * data[lower + west + c]! + dx * data[lower + east + c]!;
        result[to++] = (1 - dy) * above + dy * below;
      }
    }
  }
  return { ...image, ...size, data: result } as Image;
}

/**
 * The centre of a square image, enlarged to its size, as ImageNet-C does with SciPy's `zoom` (order 1): corners lie on
 * corners, and the side is rounded.
 */
export function clippedZoom<Image extends Planes>(image: Like<Image>, factor: number): Image {
  const side = image.height;
  const cropped = Math.ceil(side / factor);
  const start = Math.floor((side - cropped) / 2);
  const enlarged = roundHalfEven(cropped * factor);
  const trim = Math.floor((enlarged - side) / 2);
  const scale = enlarged > 1 ? (cropped - 1) / (enlarged - 1) : 0;
  const at = (place: number): number => start + Math.min((trim + place) * scale, cropped - 1);
  return warp(image, { height: side, width: side }, (y, x) => [at(y), at(x)], 'nearest');
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/**
 * The motion blur of ImageMagick: weights of half a Gaussian along a line that begins at the pixel.
 *
 * @param radius Half the length of the line, in pixels.
 * @param angle In degrees.
 */
export function motionBlur<Image extends Planes>(
  image: Like<Image>,
  radius: number,
  sigma: number,
  angle: number,
): Image {
  const length = 2 * radius + 1;
  const raw = Array.from({ length }, (_, i) => Math.exp(-(i ** 2) / (2 * sigma ** 2)));
  const sum = raw.reduce((a, b) => a + b, 0);
  const [sine, cosine] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const taps = raw.map((weight, i): Tap => {
    return { dx: Math.ceil(i * cosine - 0.5), dy: Math.ceil(i * sine - 0.5), weight: weight / sum };
  });
  return correlate(image, taps, 'nearest');
}
