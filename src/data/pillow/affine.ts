/**
 * Pillow's affine transformations with bicubic interpolation: cubic convolution with a = −1. Each output pixel is read
 * at one point of the input, so nothing is antialiased. The results equal Pillow's bytes; it computes in float64 and
 * truncates.
 */
import type { ByteImage } from '../../common/image.js';

/** Maps the centre (x, y) of an output pixel to (a·x + b·y + c, d·x + e·y + f) in the input. */
export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export type Colour = readonly [red: number, green: number, blue: number];

/**
 * Transforms an image to one of the same size.
 *
 * @param fill The colour for points outside the input.
 */
export function transform({ data, height, width }: ByteImage, [a, b, c, d, e, f]: Matrix, fill: Colour): ByteImage {
  const result = new Uint8ClampedArray(data.length);
  const stride = 3 * width;
  // A position in the input of each of the 4 × 4 pixels around a point, by column and row. No arrays are created for a
  // pixel: this loop runs for every image of a training.
  const columns = new Int32Array(4);
  const rows = new Int32Array(4);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const atX = a * (x + 0.5) + b * (y + 0.5) + c;
      const atY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (atX < 0 || atX >= width || atY < 0 || atY >= height) {
        result[to] = fill[0];
        result[to + 1] = fill[1];
        result[to + 2] = fill[2];
        continue;
      }
      const left = Math.floor(atX - 0.5);
      const top = Math.floor(atY - 0.5);
      const dx = atX - 0.5 - left;
      const dy = atY - 0.5 - top;
      for (let t = 0; t < 4; t++) {
        columns[t] = 3 * Math.min(Math.max(left - 1 + t, 0), width - 1);
        rows[t] = stride * Math.min(Math.max(top - 1 + t, 0), height - 1);
      }
      for (let channel = 0; channel < 3; channel++) {
        let value = alongRow(data, rows[1]! + channel, columns, dx);
        // At a distance of 0 the other rows do not count: shears and translations move along one axis only.
        if (dy !== 0) {
          const before = alongRow(data, rows[0]! + channel, columns, dx);
          const next = alongRow(data, rows[2]! + channel, columns, dx);
          value = cubic(before, value, next, alongRow(data, rows[3]! + channel, columns, dx), dy);
        }
        result[to + channel] = Math.trunc(value);
      }
    }
  }
  return { data: new Uint8Array(result.buffer), height, width };
}

/** The value of one row between its columns. */
function alongRow(data: Uint8Array, row: number, columns: Int32Array, distance: number): number {
  const at = data[row + columns[1]!]!;
  if (distance === 0) return at;
  return cubic(data[row + columns[0]!]!, at, data[row + columns[2]!]!, data[row + columns[3]!]!, distance);
}

/** The cubic through four values at −1, 0, 1 and 2, read between the middle ones. Pillow's terms, in its order. */
function cubic(v1: number, v2: number, v3: number, v4: number, distance: number): number {
  const linear = -v1 + v3;
  const square = 2 * (v1 - v2) + v3 - v4;
  const cube = -v1 + v2 - v3 + v4;
  return v2 + distance * (linear + distance * (square + distance * cube));
}

export const shearX = (image: ByteImage, factor: number, fill: Colour): ByteImage =>
  transform(image, [1, factor, 0, 0, 1, 0], fill);

export const shearY = (image: ByteImage, factor: number, fill: Colour): ByteImage =>
  transform(image, [1, 0, 0, factor, 1, 0], fill);

/** @param share Of the width. */
export const translateX = (image: ByteImage, share: number, fill: Colour): ByteImage =>
  transform(image, [1, 0, share * image.width, 0, 1, 0], fill);

/** @param share Of the height. */
export const translateY = (image: ByteImage, share: number, fill: Colour): ByteImage =>
  transform(image, [1, 0, 0, 0, 1, share * image.height], fill);

/** Rotates counterclockwise about the centre. Pillow rounds sines and cosines to 15 decimals. */
export function rotate(image: ByteImage, degrees: number, fill: Colour): ByteImage {
  if (degrees % 360 === 0) return image;
  const angle = (-Math.PI / 180) * (((degrees % 360) + 360) % 360);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)].map((value) => Number(value.toFixed(15))) as [
    number,
    number,
  ];
  const [x, y] = [image.width / 2, image.height / 2];
  const c = cosine * -x + sine * -y + x;
  const f = -sine * -x + cosine * -y + y;
  return transform(image, [cosine, sine, c, -sine, cosine, f], fill);
}
