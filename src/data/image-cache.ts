import type { ByteImage } from '../common/image.js';

/**
 * Decoded images up to a budget. No image is dropped for another: each epoch reads all images in turn, so every image
 * would be dropped before it is read again.
 */
export class ImageCache {
  readonly #images = new Map<string, ByteImage>();
  #left: number;

  /** @param budget Bytes of pixels that are kept. */
  constructor(budget: number) {
    this.#left = budget;
  }

  get(path: string): ByteImage | undefined {
    return this.#images.get(path);
  }

  /** @returns The image, or the one that is kept for it. */
  keep(path: string, image: ByteImage): ByteImage {
    const { data, height, width, release } = image;
    if (data.length > this.#left || this.#images.has(path)) return image;
    const kept = { data: release ? data.slice() : data, height, width };
    release?.();
    this.#left -= data.length;
    this.#images.set(path, kept);
    return kept;
  }
}
