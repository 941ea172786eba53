/** The entry point of a thread of `readers.ts`. It copies what libvips decodes to memory that is used again. */
import { parentPort } from 'node:worker_threads';
import type { ByteImage } from '../common/image.js';
import { readImage } from './read-image.js';
import type { Answer, ImageInMemory, Request } from './readers.js';

/** Room for a larger image to come: photographs have few sizes. */
const ROOM = 1.125;

/** Bytes of an image that is passed on alone: some hundred memories of a rare size would stay. */
const LARGE = 2 ** 22;

const memories: Uint8Array[] = [];

parentPort!.on('message', ({ number, path, mode, memory }: Request) => {
  void readImage(path, mode).then((read) => {
    const small = read.kind === 'image' && read.image.data.length <= LARGE;
    const answer: Answer = { number, read: small ? { ...inMemory(read.image, memory), damage: read.damage } : read };
    parentPort!.postMessage(answer);
  });
});

function inMemory({ data, height, width }: ByteImage, memory = memories.length): Omit<ImageInMemory, 'damage'> {
  const image = { kind: 'in-memory', height, width, memory } as const;
  const room = memories[memory];
  if (room && room.length >= data.length) {
    room.set(data);
    return image;
  }
  const shared = new SharedArrayBuffer(Math.ceil(data.length * ROOM));
  const larger = new Uint8Array(shared);
  larger.set(data);
  memories[memory] = larger;
  return { ...image, shared };
}
