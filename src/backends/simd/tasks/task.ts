/**
 * A task computes one chunk of a kernel's work from addresses, sizes and factors, not from tensors. Its arguments are
 * one record, which threads other than the calling one read from shared memory.
 *
 * Records for tasks, kernels and products are written as plain literals: with object spreads, a call among small matrices
 * took several times as long.
 */
import { recordFormat, type RecordField, type ValuesOf } from '../records.js';
import type { Thread } from '../thread.js';

export interface SimdTask<Values> {
  /** Float64 numbers that its arguments take in shared memory. */
  readonly words: number;
  run(thread: Thread, chunk: number, values: Values): void;
  write(words: Float64Array, values: Values): void;
  /** Runs a chunk with the arguments that {@link write} stored there. */
  runWritten(thread: Thread, chunk: number, words: Float64Array): void;
}

/**
 * @param fields The arguments, by name.
 * @param run Computes a chunk. Chunks run in any order and on any thread, so none depends on another.
 */
export function defineTask<F extends Readonly<Record<string, RecordField<unknown>>>>(
  fields: F,
  run: (thread: Thread, chunk: number, values: ValuesOf<F>) => void,
): SimdTask<ValuesOf<F>> {
  const format = recordFormat(fields);
  return {
    words: format.words,
    run,
    write: (words, values) => {
      format.write(words, values);
    },
    runWritten: (thread, chunk, words) => {
      run(thread, chunk, format.read(words));
    },
  };
}
