/** The entry point of a thread of `readers.ts`: answers with images, whose pixels change hands without a copy. */
import { parentPort } from 'node:worker_threads';
import { readImage } from './read-image.js';
import type { Answer, Request } from './readers.js';

parentPort!.on('message', ({ number, path }: Request) => {
  void readImage(path).then((read) => {
    const answer: Answer = { number, read };
    parentPort!.postMessage(answer, read.kind === 'image' ? [read.image.data.buffer as ArrayBuffer] : []);
  });
});
