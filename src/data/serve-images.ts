/** The side of `image-threads.ts` that runs in the thread: it copies images to memory that is used again. */
import { parentPort } from 'node:worker_threads';
import type { ByteImage } from '../common/image.js';
import type { ThreadAnswer, ImageInMemory, Request, Returned } from './image-threads.js';

/** Room for a larger image to come: photographs have few sizes. */
const ROOM = 1.125;

/** Bytes from which on an image is passed without shared memory: some hundred memories of a rare size would stay. */
const LARGE = 2 ** 22;

const memories: Uint8Array[] = [];

/** The work of a thread: an image, and what its message contains besides. */
export type Serve<Work, Told> = (work: Work) => Promise<Returned<Told>>;

/** Answers every request of the thread that started this one. */
export function serveImages<Work, Told>(serve: Serve<Work, Told>): void {
  parentPort!.on('message', ({ number, work, memory }: Request<Work>) => {
    void serve(work).then(({ told, image }) => {
      const small = image !== null && image.data.length <= LARGE;
      const answer: ThreadAnswer<Told> = { number, told, image: small ? inMemory(image, memory) : image };
      parentPort!.postMessage(answer);
    });
  });
}

function inMemory({ data, height, width }: ByteImage, memory = memories.length): ImageInMemory {
  const image = { height, width, memory };
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
