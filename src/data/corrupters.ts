/**
 * Threads that compute corrupted views of images. A corruption takes up to some milliseconds of a thread for a small
 * image, much longer than a model takes to encode it, and each image is corrupted 80 times.
 */
import type { ByteImage } from '../common/image.js';
import { viewPixels } from '../common/view.js';
import { evaluationView } from './augment.js';
import { corrupt, type CorruptionName } from './corruptions/index.js';
import { askLeastBusy, ImageThread, toSend } from './image-threads.js';

export interface ImageToCorrupt {
  readonly image: ByteImage;
  readonly name: CorruptionName;
  /** From 1 to 5. */
  readonly severity: number;
  /** Of the image in its split. */
  readonly index: number;
}

export interface CorrupterOptions {
  /** Side of the views, in pixels. */
  readonly size: number;
}

/** Computes one corrupted view of size × size, and releases the memory of the image. */
export type Corrupter = (work: ImageToCorrupt) => Promise<ByteImage>;

const MOST_CORRUPTERS = 32;

/** The view of an image in an evaluation, corrupted. */
export async function corruptedView(
  { image, name, severity, index }: ImageToCorrupt,
  { size }: CorrupterOptions,
): Promise<ByteImage> {
  return corrupt(viewPixels(evaluationView(image, size)), name, severity, index);
}

/**
 * Corrupts images, on other threads if there are cores for them. The bytes do not depend on the number of cores.
 *
 * @param cores That the process may have to itself.
 */
export function openCorrupter(options: CorrupterOptions, cores: number): Corrupter {
  const compute = cores <= 1 ? (work: ImageToCorrupt) => corruptedView(work, options) : onThreads(options, cores - 1);
  return async (work) => {
    const corrupted = await compute(work);
    work.image.release?.();
    return corrupted;
  };
}

function onThreads(options: CorrupterOptions, cores: number): Corrupter {
  const module = new URL('./corrupter.js', import.meta.url);
  const start = (): ImageThread<ImageToCorrupt, null> => new ImageThread(module, options);
  const ask = askLeastBusy(Math.min(MOST_CORRUPTERS, cores), start);
  return async (work) => (await ask({ ...work, image: toSend(work.image) })).image!;
}
