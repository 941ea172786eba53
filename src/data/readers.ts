/**
 * Threads that read image files. libvips always decodes on its own threads. But opening a file, requesting the image
 * and collecting its garbage takes 0.2 to 0.4 ms of the calling thread, as long as a GPU has for an image.
 */
import { noteMissingAnswer } from './answered.js';
import type { DecodeMode } from './formats/format.js';
import { askLeastBusy, ImageThread } from './image-threads.js';
import { readImage, type ReadImage } from './read-image.js';

export interface FileToRead {
  readonly path: string;
  readonly mode: DecodeMode;
}

type OfKind<Kind> = Extract<ReadImage, { kind: Kind }>;

/** What was read, without the pixels. */
export type Read = Omit<OfKind<'image'>, 'image'> | OfKind<Exclude<ReadImage['kind'], 'image'>>;

/** Cores that one asking thread keeps busy with decoding: 1 to 4 ms of them for an image. */
const CORES_PER_READER = 4;
const MOST_READERS = 4;

/**
 * Reads image files, on other threads if there are cores for them.
 *
 * @param cores That the process may have to itself.
 * @param mode How files become pixels.
 * @returns Reads the file of a path. The threads are started by the first call, and keep no process alive.
 */
export function openReaders(cores: number, mode: DecodeMode = 'torchvision'): (path: string) => Promise<ReadImage> {
  if (cores <= 1) return (path) => readImage(path, mode);
  const count = Math.min(MOST_READERS, Math.ceil(cores / CORES_PER_READER));
  const ask = askLeastBusy(count, () => new ImageThread<FileToRead, Read>(new URL('./reader.js', import.meta.url)));
  return async (path) => {
    const { told, image } = await ask({ path, mode });
    if (told.kind === 'timed-out') noteMissingAnswer();
    return told.kind === 'image' ? { ...told, image: image! } : told;
  };
}
