/**
 * Records a call of a function as the work that its kernels do on the shared memory, and repeats that work:
 * `src/ops/repeat.ts` describes the purpose. The recording reserves the memory of the call, so all addresses stay the
 * same.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Recorded } from '../../ops/repeat.js';
import type { Address } from './address.js';
import type { Reservation, SharedHeap } from './memory.js';
import type { ThreadPool } from './threads.js';

/** A part of a kernel's work. It reads and writes the shared memory, and nothing else that changes between calls. */
export type Work = (threads: ThreadPool) => void;

/** A tensor with the addresses of its values in float32 or int32, and in bfloat16; undefined: it has none. */
export interface HeapPlace {
  readonly address: Address | undefined;
  readonly rounded: Address | undefined;
}

/** The part of its backend that a recorder uses. */
export interface Recordable {
  readonly heap: SharedHeap;
  readonly threads: ThreadPool;
  /** The place of the values of a tensor; undefined: it does not exist, or its values are not in the shared memory. */
  placeOf(dataId: object): HeapPlace | undefined;
  /** The values of a float32 or int32 tensor, in place. */
  values(tensor: { dataId: object }): Float32Array;
}

/** A call that is being recorded. */
export interface Recording {
  readonly works: Work[];
  readonly reservation: Reservation;
  /** The tensors that existed before, with their places. */
  readonly outside: Map<object, HeapPlace>;
  /** Something happened that would not happen in a repetition. */
  refused: boolean;
}

export class StepRecorder {
  readonly #backend: Recordable;
  current: Recording | undefined;

  constructor(backend: Recordable) {
    this.#backend = backend;
  }

  /** Notes a tensor whose address a kernel uses. */
  note(dataId: object): void {
    const { current } = this;
    if (!current || current.outside.has(dataId)) return;
    const place = this.#backend.placeOf(dataId);
    const first = place?.address ?? place?.rounded;
    if (place && first !== undefined && !current.reservation.used.has(first)) current.outside.set(dataId, place);
  }

  record(inputs: readonly tf.TensorInfo[], f: () => void): Recorded | undefined {
    if (!this.#areShared(inputs)) {
      f();
      return undefined;
    }
    const { heap } = this.#backend;
    const recording: Recording = {
      works: [],
      reservation: heap.beginReservation(),
      outside: new Map(),
      refused: false,
    };
    const { works, reservation, outside } = recording;
    // Views of their own: the call may dispose of the inputs.
    const recorded = inputs.map((tensor) => this.#backend.values(tensor).subarray());
    for (const { byteOffset } of recorded) heap.keep(byteOffset, reservation);
    this.current = recording;
    try {
      f();
    } catch (error) {
      recording.refused = true;
      throw error;
    } finally {
      this.current = undefined;
      heap.endReservation();
      if (!reservation.allFreed) recording.refused = true;
      if (recording.refused) heap.release(reservation);
    }
    if (recording.refused) return undefined;
    for (const { dataId } of inputs) outside.delete(dataId);
    return {
      replay: (given) => this.#replay(works, outside, recorded, given),
      dispose: () => {
        heap.release(reservation);
      },
    };
  }

  /** Whether the values of all these tensors are in the shared memory, as float32 or int32. */
  #areShared(tensors: readonly tf.TensorInfo[]): boolean {
    return tensors.every(({ dataId }) => this.#backend.placeOf(dataId)?.address !== undefined);
  }

  #replay(
    works: readonly Work[],
    outside: ReadonlyMap<object, HeapPlace>,
    inputs: readonly Float32Array[],
    given: readonly tf.TensorInfo[],
  ): boolean {
    const backend = this.#backend;
    for (const [dataId, { address, rounded }] of outside) {
      const place = backend.placeOf(dataId);
      if (place?.address !== address || place?.rounded !== rounded) return false;
    }
    if (!this.#areShared(given)) return false;
    for (const [i, tensor] of given.entries()) inputs[i]!.set(backend.values(tensor));
    for (const work of works) work(backend.threads);
    return true;
  }
}
