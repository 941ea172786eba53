/** A thread of the pool: sleeps until there is a job, takes chunks, sleeps again. */
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
  // The main thread is waiting and could not pass on what a stream writes.
  if (error) writeSync(2, `${error.stack ?? error.message}\n`);
  waitForChange(words, WORD.job, job);
}
