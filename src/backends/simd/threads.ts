/**
 * Threads that share the work of a kernel. The calling thread takes part and waits for the others; they sleep in the
 * kernel of the operating system (Atomics.wait) while there is nothing to do, and do not keep the process alive.
 *
 * A job is a task's name, its arguments and a number of chunks. Whoever is free takes the next chunk, so a core that is
 * busy elsewhere slows nothing down. What a chunk computes does not depend on who computes it: results are the same for
 * every number of threads.
 */
import { Worker } from 'node:worker_threads';
import { openThread, type Kernels, type Thread, type ThreadOptions } from './thread.js';
import { TASKS, type TaskArguments, type TaskName } from './tasks/index.js';

/** Words of the shared control block. */
export const WORD = {
  /** Counts jobs; a sleeping thread waits for it to change. */
  job: 0,
  /** Chunks nobody has taken. Whoever brings it to n ≥ 0 by subtracting owns chunk n, and only then reads the job. */
  left: 1,
  /** Chunks not finished. */
  unfinished: 2,
  task: 3,
  /** How many. */
  arguments: 4,
  /** Not 0: a chunk failed. */
  failed: 5,
  /** Not 0: threads shall end. */
  closing: 6,
  count: 7,
} as const;

const MAXIMUM_ARGUMENTS = 24;

export interface ControlBlock {
  words: Int32Array;
  values: Float64Array;
}

function controlBlock(): ControlBlock {
  const buffer = new SharedArrayBuffer(64 + 8 * MAXIMUM_ARGUMENTS);
  return { words: new Int32Array(buffer, 0, WORD.count), values: new Float64Array(buffer, 64) };
}

const TASK_NAMES = Object.keys(TASKS) as TaskName[];

/**
 * Takes chunks of the current job until none is left.
 *
 * @returns What the first chunk to fail has thrown, if one did.
 */
export function takeChunks(thread: Thread, { words, values }: ControlBlock): Error | undefined {
  let error: Error | undefined;
  for (;;) {
    const chunk = Atomics.sub(words, WORD.left, 1) - 1;
    if (chunk < 0) return error;
    // Safe to read: the job cannot be replaced before this chunk is finished.
    try {
      compute(TASK_NAMES[words[WORD.task]!]!, thread, chunk, values.subarray(0, words[WORD.arguments]));
    } catch (thrown) {
      error ??= thrown as Error;
      words[WORD.failed] = 1;
    }
    if (Atomics.sub(words, WORD.unfinished, 1) === 1) Atomics.notify(words, WORD.unfinished);
  }
}

/** Looks this often before sleeping, for about 100 µs: as long as waking a thread takes, or tfjs between two kernels. */
const LOOKS = 6_000;

/** Returns when a word no longer has a value: looks for a moment, then sleeps until it is notified. */
export function waitForChange(words: Int32Array, word: number, value: number): void {
  for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, word) !== value) return;
  Atomics.wait(words, word, value);
}

function compute(name: TaskName, thread: Thread, chunk: number, values: Iterable<number>): void {
  const task: (thread: Thread, chunk: number, ...values: number[]) => void = TASKS[name];
  task(thread, chunk, ...values);
}

/** The threads of one backend. */
export class ThreadPool {
  readonly #block: ControlBlock;
  readonly #thread: Thread;
  readonly #workers: readonly Worker[];

  private constructor(block: ControlBlock, thread: Thread, workers: readonly Worker[]) {
    this.#block = block;
    this.#thread = thread;
    this.#workers = workers;
  }

  /** Starts `count` − 1 threads beside the calling one, and returns when they are ready. */
  static async start(count: number, options: Omit<ThreadOptions, 'index'>): Promise<ThreadPool> {
    const block = controlBlock();
    const workers = Array.from({ length: count - 1 }, (_, i) => {
      const workerData = { options: { ...options, index: i + 1 }, block };
      // Not with the options of this process: `--eval` and its likes would run twice.
      return new Worker(new URL('./worker.js', import.meta.url), { workerData, execArgv: [] });
    });
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            worker.once('message', () => {
              resolve();
            });
            worker.once('error', reject);
          }),
      ),
    );
    for (const worker of workers) worker.unref();
    return new ThreadPool(block, openThread({ ...options, index: 0 }), workers);
  }

  get size(): number {
    return this.#workers.length + 1;
  }

  /** Of the calling thread. */
  get kernels(): Kernels {
    return this.#thread.kernels;
  }

  /**
   * Runs every chunk of a task and returns when all are done.
   *
   * @param values The task's arguments, see src/backends/simd/tasks.
   */
  run<Name extends TaskName>(name: Name, chunks: number, ...values: TaskArguments<Name>): void {
    if (this.#workers.length === 0 || chunks === 1) {
      for (let chunk = 0; chunk < chunks; chunk++) compute(name, this.#thread, chunk, values);
      return;
    }
    const { words } = this.#block;
    this.#block.values.set(values);
    words[WORD.arguments] = values.length;
    words[WORD.task] = TASK_NAMES.indexOf(name);
    words[WORD.unfinished] = chunks;
    words[WORD.failed] = 0;
    Atomics.store(words, WORD.left, chunks);
    Atomics.add(words, WORD.job, 1);
    Atomics.notify(words, WORD.job);

    const error = takeChunks(this.#thread, this.#block);
    for (let left = Atomics.load(words, WORD.unfinished); left > 0; left = Atomics.load(words, WORD.unfinished)) {
      waitForChange(words, WORD.unfinished, left);
    }
    if (words[WORD.failed] !== 0) throw error ?? new Error(`a thread failed in ${name}; the reason is above`);
  }

  /** Ends the threads. */
  close(): void {
    const { words } = this.#block;
    Atomics.store(words, WORD.closing, 1);
    Atomics.add(words, WORD.job, 1);
    Atomics.notify(words, WORD.job);
  }
}
