/** A thread of the pool: sleeps until there is a job, computes chunks, sleeps again. */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { openThread, type ThreadOptions } from './thread.js';
import { takeChunks, waitForChange, WORD, type ControlBlock } from './threads.js';

const { options, block } = workerData as { options: ThreadOptions; block: ControlBlock };
const thread = openThread(options);
parentPort!.postMessage('ready');

const { words } = block;
for (;;) {
  const job = Atomics.load(words, WORD.job);
  if (words[WORD.closing] !== 0) break;
  const error = takeChunks(thread, block);
  // Written synchronously: the main thread, which would forward the output of a stream, is waiting.
  if (error) writeSync(2, `${error.stack ?? error.message}\n`);
  waitForChange(words, WORD.job, job);
}
