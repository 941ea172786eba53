/**
 * Threads that read image files. libvips decodes on threads of its own either way; but to open a file, ask for its
 * decoding and collect the garbage of it takes 0.2 to 0.4 ms of the thread that asks, as long as a GPU has for an image.
 */
import { Worker } from 'node:worker_threads';
import { noteMissingAnswer } from './answered.js';
import type { DecodeMode } from './formats/format.js';
import { readImage, type ReadImage } from './read-image.js';

/** A path, and the number under which the answer comes; in this of the reader's memories, if it has room. */
export interface Request {
  readonly number: number;
  readonly path: string;
  readonly mode: DecodeMode;
  readonly memory: number | undefined;
}

export interface Answer {
  readonly number: number;
  readonly read: ReadImage | ImageInMemory;
}

/** An image whose pixels lie at the beginning of a memory. */
export interface ImageInMemory {
  readonly kind: 'in-memory';
  readonly height: number;
  readonly width: number;
  readonly memory: number;
  readonly damage: string | null;
  /** The memory itself, where it is new under its number. */
  readonly shared?: SharedArrayBuffer;
}

/** Cores that one asking thread keeps busy with decoding: 1 to 4 ms of them for an image. */
const CORES_PER_READER = 4;
const MOST_READERS = 4;

/**
 * Reads image files beside the calling thread, where there are cores for it.
 *
 * @param cores That the process may have to itself.
 * @param mode How files become pixels.
 * @returns Reads the file of a path. The threads are started by the first call, and keep no process alive.
 */
export function openReaders(cores: number, mode: DecodeMode = 'torchvision'): (path: string) => Promise<ReadImage> {
  if (cores <= 1) return (path) => readImage(path, mode);
  const count = Math.min(MOST_READERS, Math.ceil(cores / CORES_PER_READER));
  let readers: Reader[] | undefined;
  return (path) => {
    readers ??= Array.from({ length: count }, () => new Reader());
    return readers.reduce((least, reader) => (reader.waiting < least.waiting ? reader : least)).read(path, mode);
  };
}

interface Waiting {
  readonly memory: number | undefined;
  resolve: (read: ReadImage) => void;
  reject: (error: Error) => void;
}

class Reader {
  /** By number. It is shared, and used again: new memory for each image would have the garbage collected all the time. */
  readonly #memories = new Map<number, SharedArrayBuffer>();
  readonly #free: number[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #worker: Worker;
  #next = 0;
  /** Why nothing more is read. */
  #ended: Error | undefined;

  constructor() {
    // Not with the options of this process: `--eval` and its likes would run twice.
    this.#worker = new Worker(new URL('./reader.js', import.meta.url), { execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', ({ number, read }: Answer) => {
      const waiting = this.#waiting.get(number)!;
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) this.#worker.unref();
      if (read.kind === 'timed-out') noteMissingAnswer();
      if (read.kind === 'in-memory') waiting.resolve(this.#image(read));
      else {
        if (waiting.memory !== undefined) this.#free.push(waiting.memory);
        waiting.resolve(read);
      }
    });
    this.#worker.on('error', (error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on('exit', () => {
      this.#fail(new Error('the thread that reads images has ended'));
    });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  read(path: string, mode: DecodeMode): Promise<ReadImage> {
    if (this.#ended) return Promise.reject(this.#ended);
    const memory = this.#free.pop();
    const request: Request = { number: this.#next++, path, mode, memory };
    // A process waits for what it has asked for, and for nothing else.
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.number, { memory, resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #image({ height, width, memory, shared, damage }: ImageInMemory): ReadImage {
    if (shared) this.#memories.set(memory, shared);
    const data = new Uint8Array(this.#memories.get(memory)!, 0, height * width * 3);
    let lent = true;
    const release = (): void => {
      if (lent) this.#free.push(memory);
      lent = false;
    };
    return { kind: 'image', image: { data, height, width, release }, damage };
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
