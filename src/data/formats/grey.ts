import type { ByteImage } from '../../common/image.js';

/**
 * An image of three equal channels.
 *
 * @param valueOf The value of each pixel, row by row, in 0 … 255.
 */
export function greyImage(height: number, width: number, valueOf: (pixel: number) => number): ByteImage {
  const data = new Uint8Array(3 * height * width);
  for (let i = 0, to = 0; i < height * width; i++) {
    const value = valueOf(i);
    data[to++] = value;
    data[to++] = value;
    data[to++] = value;
  }
  return { data, height, width };
}
