/** The entry point of a thread of `readers.ts`. */
import { readImage } from './read-image.js';
import type { FileToRead, Read } from './readers.js';
import { serveImages } from './serve-images.js';

serveImages<FileToRead, Read>(async ({ path, mode }) => {
  const read = await readImage(path, mode);
  if (read.kind !== 'image') return { told: read, image: null };
  return { told: { kind: 'image', damage: read.damage }, image: read.image };
});
