/**
 * Images outside the tensor engine: row-major, three interleaved channels (height, width, channel). Files and data sets
 * contain bytes; after augmentation all values are floating point.
 */
import { newPixels } from './working-memory.js';

/** An RGB image as stored: 0 … 255. */
export interface ByteImage {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** If present: returns the memory of the pixels for use by another image. They must not be read afterwards. */
  readonly release?: () => void;
}

/** An RGB image in floating point. The code that creates it states its range: [0, 1], or ImageNet-normalised. */
export interface FloatImage {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** ImageNet channel means and standard deviations, applied to pixels in [0, 1] (PAPER.md §6). */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/** ImageNet-normalises an image in [0, 1]. */
export function normalizeImage(image: FloatImage): FloatImage {
  return mapChannels(image, (value, channel) => (value - IMAGENET_MEAN[channel]!) / IMAGENET_STD[channel]!);
}

/** The inverse of {@link normalizeImage}. */
export function denormalizeImage(image: FloatImage): FloatImage {
  return mapChannels(image, (value, channel) => value * IMAGENET_STD[channel]! + IMAGENET_MEAN[channel]!);
}

function mapChannels(image: FloatImage, map: (value: number, channel: number) => number): FloatImage {
  const data = newPixels(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = map(image.data[i]!, i % 3);
  return { ...image, data };
}

/** The pixels of images of the same size, one image after another. */
export function stackPixels(images: readonly FloatImage[]): Float32Array {
  const stride = images[0]!.data.length;
  const pixels = new Float32Array(images.length * stride);
  images.forEach((image, i) => {
    pixels.set(image.data, i * stride);
  });
  return pixels;
}
