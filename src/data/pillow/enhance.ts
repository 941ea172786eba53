/**
 * Pillow's `ImageEnhance`: an image is blended with a degenerate version of itself, which has no colour, no contrast, no
 * brightness or no sharpness. A factor of 0 gives the degenerate version, 1 the image, and more exaggerates it. The
 * results equal Pillow's bytes; it computes blends in float32.
 */
import type { ByteImage } from '../../common/image.js';

/** Pillow's `Image.blend` of a degenerate value and a value. Arrays clamp it. */
function blended(degenerate: number, value: number, alpha: number): number {
  return Math.trunc(Math.fround(degenerate + Math.fround(alpha * (value - degenerate))));
}

/** @param degenerate Its values, as many as those of the image. */
function blend({ data, height, width }: ByteImage, degenerate: Uint8Array, factor: number): ByteImage {
  const alpha = Math.fround(factor);
  const result = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) result[i] = blended(degenerate[i]!, data[i]!, alpha);
  return { data: new Uint8Array(result.buffer), height, width };
}

/** Luma of a pixel by ITU-R 601-2, as `convert('L')` rounds it. */
export const luma = (red: number, green: number, blue: number): number =>
  (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;

/** The luma of every pixel, once for each channel. */
function greyOf({ data }: ByteImage): Uint8Array {
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) grey.fill(luma(data[i]!, data[i + 1]!, data[i + 2]!), i, i + 3);
  return grey;
}

export const color = (image: ByteImage, factor: number): ByteImage => blend(image, greyOf(image), factor);

export function contrast(image: ByteImage, factor: number): ByteImage {
  let sum = 0;
  for (const value of greyOf(image)) sum += value;
  const mean = Math.trunc(sum / image.data.length + 0.5);
  return blend(image, new Uint8Array(image.data.length).fill(mean), factor);
}

export const brightness = (image: ByteImage, factor: number): ByteImage =>
  blend(image, new Uint8Array(image.data.length), factor);

/** Blends with a smoothed version: a 3 × 3 mean in which the centre counts five times. Edges are not smoothed. */
export function sharpness(image: ByteImage, factor: number): ByteImage {
  const { data, height, width } = image;
  const row = 3 * width;
  const smooth = data.slice();
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + 3; i < (y + 1) * row - 3; i++) {
      let sum = 4 * data[i]!;
      for (let line = i - row; line <= i + row; line += row) sum += data[line - 3]! + data[line]! + data[line + 3]!;
      // Rounded. Thirteenths are never halfway between two integers.
      smooth[i] = Math.floor((2 * sum + 13) / 26);
    }
  }
  return blend(image, smooth, factor);
}
