/**
 * Threads that share the work of a kernel. The calling thread takes part and waits for the others. While there is no work,
 * the others sleep in the operating system (Atomics.wait), and they do not keep the process alive.
 *
 * A job is a task, its arguments and a number of chunks. A free thread takes the next chunk, so a core that is busy with
 * other programs does not delay the rest. The result of a chunk does not depend on the thread that computes it: results
 * are the same for every number of threads.
 */
import { Worker } from 'node:worker_threads';
import type { Kernels } from './exports.js';
import { openThread, type Thread, type ThreadOptions } from './thread.js';
import { TASKS, type TaskArguments, type TaskName } from './tasks/index.js';

/** Words of the shared control block. */
export const WORD = {
  /** Counts jobs; a sleeping thread waits for it to change. */
  job: 0,
  /** Chunks not yet taken. The thread that subtracts 1 and gets n ≥ 0 owns chunk n, and only then reads the job. */
  left: 1,
  /** Chunks not finished. */
  unfinished: 2,
  /** Index in {@link JOBS}. */
  task: 3,
  /** Not 0: a chunk failed. */
  failed: 4,
  /** Not 0: the threads have to end. */
  closing: 5,
  count: 6,
} as const;

export interface ControlBlock {
  words: Int32Array;
  /** The arguments of the current task. */
  values: Float64Array;
}

const TASK_NAMES = Object.keys(TASKS) as TaskName[];
const JOBS = Object.values(TASKS);
const MAXIMUM_ARGUMENTS = Math.max(...JOBS.map(({ words }) => words));

function controlBlock(): ControlBlock {
  const buffer = new SharedArrayBuffer(64 + 8 * MAXIMUM_ARGUMENTS);
  return { words: new Int32Array(buffer, 0, WORD.count), values: new Float64Array(buffer, 64) };
}

/**
 * Takes chunks of the current job until none is left.
 *
 * @returns The error of the first chunk that failed, if one did.
 */
export function takeChunks(thread: Thread, { words, values }: ControlBlock): Error | undefined {
  let error: Error | undefined;
  for (;;) {
    const chunk = Atomics.sub(words, WORD.left, 1) - 1;
    if (chunk < 0) return error;
    // The job can be read now: it cannot be replaced before this chunk is finished.
    try {
      JOBS[words[WORD.task]!]!.runWritten(thread, chunk, values);
    } catch (thrown) {
      error ??= thrown as Error;
      words[WORD.failed] = 1;
    }
    if (Atomics.sub(words, WORD.unfinished, 1) === 1) Atomics.notify(words, WORD.unfinished);
  }
}

/** Number of checks before sleeping. They take about 100 µs, as long as waking a thread, or as tfjs between two kernels. */
const LOOKS = 6_000;

/** Returns when a word no longer has a value: checks for a moment, then sleeps until it is notified. */
export function waitForChange(words: Int32Array, word: number, value: number): void {
  for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, word) !== value) return;
  Atomics.wait(words, word, value);
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
      // Without this process's Node options: each thread would run `--eval` and similar options again.
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

  /** The calling thread. */
  get caller(): Thread {
    return this.#thread;
  }

  /** The kernels of the calling thread. */
  get kernels(): Kernels {
    return this.#thread.kernels;
  }

  /**
   * Runs every chunk of a task and returns when all are done.
   *
   * @param values The task's arguments, see src/backends/simd/tasks.
   * @throws The error of a chunk that failed.
   */
  run<Name extends TaskName>(name: Name, chunks: number, values: TaskArguments[Name]): void {
    const task = TASKS[name];
    if (this.#workers.length === 0 || chunks === 1) {
      for (let chunk = 0; chunk < chunks; chunk++) task.run(this.#thread, chunk, values);
      return;
    }
    const { words } = this.#block;
    task.write(this.#block.values, values);
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
