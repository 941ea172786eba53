/** In which order images are seen, and how batches are prepared ahead of the training that consumes them. */
import { permutation, stream } from '../common/random.js';

/** Optimiser steps of one epoch: the last, incomplete batch is dropped, unless it is the only one. */
export function stepsPerEpoch(length: number, batchSize: number): number {
  return Math.max(1, Math.floor(length / batchSize));
}

/**
 * The batches of one training epoch, as indices into the split. Each epoch has an order of its own that depends only
 * on the seed and the epoch, so that a run resumes anywhere.
 */
export function trainingBatches(length: number, batchSize: number, seed: number, epoch: number): Int32Array[] {
  const order = permutation(length, stream(seed, 'order', epoch));
  return Array.from({ length: stepsPerEpoch(length, batchSize) }, (_, step) =>
    order.subarray(step * batchSize, (step + 1) * batchSize),
  );
}

/** Every image once, in the split's order; the last batch may be smaller. */
export function evaluationBatches(length: number, batchSize: number): Int32Array[] {
  const order = Int32Array.from({ length }, (_, i) => i);
  return Array.from({ length: Math.ceil(length / batchSize) }, (_, step) =>
    order.subarray(step * batchSize, (step + 1) * batchSize),
  );
}

export interface PrefetchOptions<T> {
  /** How many items are in preparation or ready beyond the one being consumed; at least 1. */
  readonly lookAhead?: number;
  /** Releases what was prepared and will not be consumed, after an error or an early return. */
  readonly discard?: (prepared: T) => void;
}

/**
 * Maps items in order, preparing a bounded number of them ahead. An error of `prepare` surfaces when its item's turn
 * comes. Leaving the loop early waits for what is under way and discards it.
 */
export async function* prefetch<Item, T>(
  items: Iterable<Item>,
  prepare: (item: Item) => Promise<T>,
  { lookAhead = 2, discard }: PrefetchOptions<T> = {},
): AsyncGenerator<T, void, undefined> {
  const source = items[Symbol.iterator]();
  const queue: Promise<T>[] = [];
  const fill = (): void => {
    while (queue.length < lookAhead) {
      const next = source.next();
      if (next.done === true) return;
      const prepared = prepare(next.value);
      // Its error is handled when it leaves the queue; until then Node must not count it as unhandled.
      prepared.catch(() => undefined);
      queue.push(prepared);
    }
  };
  try {
    fill();
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const prepared = await next;
      fill();
      yield prepared;
    }
  } finally {
    source.return?.();
    for (const rest of await Promise.allSettled(queue)) {
      if (rest.status === 'fulfilled') discard?.(rest.value);
    }
  }
}
