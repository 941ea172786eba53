/** The batches of an epoch, each split in parts for gradient accumulation and prepared ahead of the training. */
import * as tf from '@tensorflow/tfjs';
import { prefetch, trainingBatches } from '../data/batches.js';

/**
 * Splits a batch into parts of equal size. A batch that the number of parts does not divide stays whole. Only a split
 * smaller than the batch size has such a batch, which is then its only one.
 */
export function splitInParts(batch: Int32Array, parts: number): Int32Array[] {
  if (batch.length % parts !== 0) return [batch];
  const size = batch.length / parts;
  return Array.from({ length: parts }, (_, i) => batch.subarray(i * size, (i + 1) * size));
}

export interface EpochOptions<Part> {
  /** Images in the split. */
  length: number;
  batchSize: number;
  seed: number;
  /** Creates the parts of a batch; `step` counts within the epoch. */
  prepare: (indices: Int32Array, epoch: number, step: number) => Promise<Part[]>;
  /** All tensors of a part, to dispose of parts that were prepared and will not be used. */
  tensors: (part: Part) => tf.Tensor[];
}

/** The batches of an epoch, from the given step in it on. */
export function preparedBatches<Part>(
  { length, batchSize, seed, prepare, tensors }: EpochOptions<Part>,
  epoch: number,
  fromStep: number,
): AsyncGenerator<Part[]> {
  const batches = trainingBatches(length, batchSize, seed, epoch).map((indices, step) => ({ indices, step }));
  return prefetch(batches.slice(fromStep), ({ indices, step }) => prepare(indices, epoch, step), {
    discard: (parts) => {
      tf.dispose(parts.flatMap(tensors));
    },
  });
}
