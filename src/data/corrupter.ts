/** The entry point of a thread of `corrupters.ts`. */
import { workerData } from 'node:worker_threads';
import { corruptedView, type CorrupterOptions, type ImageToCorrupt } from './corrupters.js';
import { serveImages } from './serve-images.js';

const options = workerData as CorrupterOptions;

serveImages<ImageToCorrupt, null>(async (work) => ({ told: null, image: await corruptedView(work, options) }));
