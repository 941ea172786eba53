/**
 * Pillow's `ImageEnhance`: an image is blended with a degenerate version of itself, which has no colour, no contrast, no
 * brightness or no sharpness. A factor of 0 gives the degenerate version, 1 the image, and more exaggerates it. The
 * results equal Pillow's bytes; it computes blends in float32.
 */
import type { ByteImage } from '../../common/image.js';

/** @param degenerate Its value at an index of the image's data. */
function blend({ data, height, width }: ByteImage, degenerate: (index: number) => number, factor: number): ByteImage {
  const alpha = Math.fround(factor);
  const result = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) {
    const from = degenerate(i);
    const value = Math.fround(from + Math.fround(alpha * (data[i]! - from)));
    result[i] = Math.trunc(value); // the clamping of the array happens after this
  }
  return { data: new Uint8Array(result.buffer), height, width };
}

/** Luma of a pixel by ITU-R 601-2, as `convert('L')` rounds it. */
export const luma = (red: number, green: number, blue: number): number =>
  (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;

function lumaAt(data: Uint8Array, pixel: number): number {
  return luma(data[3 * pixel]!, data[3 * pixel + 1]!, data[3 * pixel + 2]!);
}

export function color(image: ByteImage, factor: number): ByteImage {
  const { data } = image;
  return blend(image, (i) => lumaAt(data, Math.floor(i / 3)), factor);
}

export function contrast(image: ByteImage, factor: number): ByteImage {
  const pixels = image.height * image.width;
  let sum = 0;
  for (let pixel = 0; pixel < pixels; pixel++) sum += lumaAt(image.data, pixel);
  const mean = Math.trunc(sum / pixels + 0.5);
  return blend(image, () => mean, factor);
}

export function brightness(image: ByteImage, factor: number): ByteImage {
  return blend(image, () => 0, factor);
}

/** Blends with a smoothed version: a 3 × 3 mean in which the centre counts five times. Edges are not smoothed. */
export function sharpness(image: ByteImage, factor: number): ByteImage {
  const { data, height, width } = image;
  const row = 3 * width;
  const smooth = data.slice();
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + 3; i < (y + 1) * row - 3; i++) {
      let sum = 4 * data[i]!;
      for (const line of [i - row, i, i + row]) sum += data[line - 3]! + data[line]! + data[line + 3]!;
      // Rounded. Thirteenths are never halfway between two integers.
      smooth[i] = Math.floor((2 * sum + 13) / 26);
    }
  }
  return blend(image, (i) => smooth[i]!, factor);
}
