/**
 * Threads that return images. Their pixels come in memory that is shared and used again: new memory for each image
 * would have the garbage collected all the time. The other side of it is `serve-images.ts`.
 */
import { Worker } from 'node:worker_threads';
import type { ByteImage } from '../common/image.js';

/** Work, and the number under which the answer comes; in this of the thread's memories, if it has room. */
export interface Request<Work> {
  readonly number: number;
  readonly work: Work;
  readonly memory: number | undefined;
}

export interface ThreadAnswer<Told> {
  readonly number: number;
  readonly told: Told;
  readonly image: ByteImage | ImageInMemory | null;
}

/** An image whose pixels lie at the beginning of a memory. */
export interface ImageInMemory {
  readonly height: number;
  readonly width: number;
  readonly memory: number;
  /** The memory itself, if `memory` is a new number. */
  readonly shared?: SharedArrayBuffer;
}

/** What a thread returns for one request. */
export interface Returned<Told> {
  readonly told: Told;
  /** Its `release` must be called once the pixels have been read. */
  readonly image: ByteImage | null;
}

interface Waiting<Told> {
  readonly memory: number | undefined;
  resolve: (returned: Returned<Told>) => void;
  reject: (error: Error) => void;
}

/** A thread. It is started at once, and does not keep the process alive when no image is pending. */
export class ImageThread<Work, Told> {
  readonly #memories = new Map<number, SharedArrayBuffer>();
  readonly #free: number[] = [];
  readonly #waiting = new Map<number, Waiting<Told>>();
  readonly #worker: Worker;
  #next = 0;
  /** Why nothing more is returned. */
  #ended: Error | undefined;

  /**
   * @param module Its entry point, which calls `serveImages`.
   * @param data The `workerData` of the thread.
   */
  constructor(module: URL, data?: unknown) {
    // Not with the options of this process: `--eval` and its likes would run twice.
    this.#worker = new Worker(module, { execArgv: [], workerData: data });
    this.#worker.unref();
    this.#worker.on('message', ({ number, told, image }: ThreadAnswer<Told>) => {
      const waiting = this.#waiting.get(number)!;
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) this.#worker.unref();
      if (image !== null && 'memory' in image) waiting.resolve({ told, image: this.#image(image) });
      else {
        if (waiting.memory !== undefined) this.#free.push(waiting.memory);
        waiting.resolve({ told, image });
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

  ask(work: Work): Promise<Returned<Told>> {
    if (this.#ended) return Promise.reject(this.#ended);
    const memory = this.#free.pop();
    const request: Request<Work> = { number: this.#next++, work, memory };
    // A process stays alive only while it waits for images.
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.number, { memory, resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #image({ height, width, memory, shared }: ImageInMemory): ByteImage {
    if (shared) this.#memories.set(memory, shared);
    const data = new Uint8Array(this.#memories.get(memory)!, 0, height * width * 3);
    let lent = true;
    const release = (): void => {
      if (lent) this.#free.push(memory);
      lent = false;
    };
    return { data, height, width, release };
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/**
 * An image as it is sent to a thread. A copy of a typed array that is not shared would have the whole buffer below it,
 * such as all images of a data set.
 */
export function toSend({ data, height, width }: ByteImage): ByteImage {
  return { data: data.buffer instanceof SharedArrayBuffer ? data : data.slice(), height, width };
}

/** Asks the thread with the least work. The threads are started by the first call. */
export function askLeastBusy<Work, Told>(
  count: number,
  start: () => ImageThread<Work, Told>,
): (work: Work) => Promise<Returned<Told>> {
  let threads: ImageThread<Work, Told>[] | undefined;
  return (work) => {
    threads ??= Array.from({ length: count }, start);
    return threads.reduce((least, thread) => (thread.waiting < least.waiting ? thread : least)).ask(work);
  };
}
