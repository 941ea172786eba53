/**
 * The WebAssembly memory that holds the tensors of the simd backend, with its allocator. The memory is shared, so that
 * all threads and the system's BLAS work on the same bytes. Only the main thread uses the allocator.
 */
import { messageOf, TrainingError, UsageError } from '../../common/errors.js';
import type { Address } from './address.js';
import { FreeBlocks } from './free-blocks.js';

const PAGE = 65_536;
/** 4 GiB, the range of 32-bit addresses. */
const MAXIMUM_PAGES = 65_536;
/** The first page holds the kernels' static data, so no tensor has address 0. */
const BASE = PAGE;
const ALIGNMENT = 64;
/** Bytes to grow by at least: the first access to each new page is slow, so the memory grows in large steps. */
const GROWTH = 64 * 2 ** 20;

/**
 * Rounds up to one of eight sizes per octave, which wastes at most 1/8. A block that one training step frees then fits
 * the next step, even if sizes vary a little.
 */
export function blockSize(bytes: number): number {
  const octave = 2 ** Math.floor(Math.log2(Math.max(bytes, ALIGNMENT)));
  const step = Math.max(ALIGNMENT, octave / 8);
  return Math.max(ALIGNMENT, Math.ceil(bytes / step) * step);
}

/** The blocks of a recorded step. Between its repetitions nothing else uses them. */
export class Reservation {
  /** Those that are free when the step has reached this point. */
  readonly free = new FreeBlocks();
  /** Those in use. */
  readonly used = new Set<number>();
  /** Blocks that are not used again when they are freed, and whether they were freed. */
  readonly kept = new Map<number, boolean>();

  /** Whether all blocks that were allocated have been freed. */
  get allFreed(): boolean {
    return [...this.used].every((pointer) => this.kept.get(pointer) === true);
  }
}

/** Allocator of the shared memory. */
export class SharedHeap {
  readonly memory: WebAssembly.Memory;
  /** First byte that was never allocated. */
  #top = BASE;
  #size = BASE;
  readonly #limit: number;
  /** Size of each block in use. */
  readonly #used = new Map<number, number>();
  readonly #free = new FreeBlocks();
  /** Of the step that is being recorded. */
  #reserving: Reservation | undefined;
  /** Of all recorded steps, by the blocks that they keep. */
  readonly #keepers = new Map<number, Reservation>();

  /** @param limit Bytes that may be used, at most and by default 4 GiB. */
  constructor(limit = MAXIMUM_PAGES * PAGE) {
    this.#limit = limit;
    try {
      this.memory = new WebAssembly.Memory({ initial: BASE / PAGE, maximum: MAXIMUM_PAGES, shared: true });
    } catch (error) {
      throw new UsageError(
        `device simd cannot reserve 4 GiB of addresses (${messageOf(error)}); lift \`ulimit -v\`, or use --device cpu`,
      );
    }
  }

  /** Bytes in use, and bytes the memory has grown to. */
  get statistics(): { used: number; size: number } {
    return { used: this.#top - BASE - this.#free.bytes, size: this.#size };
  }

  /**
   * Reserves a block, 64-byte aligned, its contents undefined.
   *
   * @returns Its address.
   * @throws TrainingError when 4 GiB are not enough.
   */
  allocate(bytes: number): Address {
    const size = blockSize(bytes);
    const pointer = this.#reserving?.free.take(size) ?? this.#free.take(size) ?? this.#extend(size, this.#reserving);
    this.#used.set(pointer, size);
    this.#reserving?.used.add(pointer);
    return pointer as Address;
  }

  /**
   * Reserves a block for values that do not come from a kernel. If a step is being recorded, they are constants of its
   * repetitions: the block is one that the step has not used before, since the kernels that used it would overwrite the
   * values in each repetition, and it is kept.
   *
   * @throws TrainingError when 4 GiB are not enough.
   */
  allocateConstant(bytes: number): Address {
    const reservation = this.#reserving;
    if (!reservation) return this.allocate(bytes);
    const size = blockSize(bytes);
    const pointer = this.#free.take(size) ?? this.#extend(size);
    this.#used.set(pointer, size);
    reservation.used.add(pointer);
    this.keep(pointer, reservation);
    return pointer as Address;
  }

  /** Frees a block. */
  free(pointer: number): void {
    const size = this.#used.get(pointer);
    if (size === undefined) throw new Error(`no block begins at ${pointer}`);
    const keeper = this.#keepers.get(pointer);
    if (keeper) {
      keeper.kept.set(pointer, true);
      return;
    }
    this.#used.delete(pointer);
    const reserved = this.#reserving?.used.delete(pointer) ? this.#reserving.free : this.#free;
    reserved.add(pointer, size);
  }

  /**
   * Until {@link endReservation}, blocks are allocated from the free blocks of the returned reservation if possible,
   * and return to them.
   */
  beginReservation(): Reservation {
    return (this.#reserving = new Reservation());
  }

  endReservation(): void {
    this.#reserving = undefined;
  }

  /** Keeps a block that is in use for a reservation: after it is freed, it stays reserved. */
  keep(pointer: number, reservation: Reservation): void {
    reservation.kept.set(pointer, false);
    this.#keepers.set(pointer, reservation);
  }

  /** Returns the blocks of a reservation that has ended. */
  release({ free, kept }: Reservation): void {
    for (const { pointer, length } of free.takeAll()) this.#free.add(pointer, length);
    for (const [pointer, freed] of kept) {
      this.#keepers.delete(pointer);
      if (freed) this.free(pointer);
    }
    kept.clear();
  }

  /**
   * Allocates new space after all blocks. If the memory would have to grow, searches the free blocks first.
   *
   * @param reserved Its free blocks are searched too.
   */
  #extend(size: number, reserved?: Reservation): number {
    if (this.#top + size > this.#size) {
      const found = carveReserved(reserved, size) ?? this.#carve(size);
      if (found !== undefined) return found;
      this.#grow(this.#top + size); // joining free blocks may have lowered the top
    }
    const pointer = this.#top;
    this.#top += size;
    return pointer;
  }

  /** Joins neighbouring free blocks, and cuts a block out of the smallest one that is large enough. */
  #carve(size: number): number | undefined {
    if (this.#free.bytes === 0) return undefined;
    for (const { pointer, length } of this.#free.takeAll()) {
      if (pointer + length === this.#top) this.#top = pointer;
      else this.#free.add(pointer, length);
    }
    if (this.#top + size <= this.#size) return undefined;
    return this.#free.cut(size);
  }

  #grow(needed: number): void {
    if (needed <= this.#size) return;
    const size = Math.min(this.#limit, Math.max(needed, this.#size + GROWTH));
    const pages = Math.ceil(size / PAGE) - this.#size / PAGE;
    try {
      if (needed > this.#limit) throw new RangeError('the limit of its address space');
      this.memory.grow(pages);
    } catch {
      const inUse = (this.statistics.used / 2 ** 30).toFixed(2);
      throw new TrainingError(
        `device simd is out of memory: ${inUse} GiB are in use and its limit is ${this.#limit / 2 ** 30} GiB, or the machine has no more; ` +
          'use a smaller batchSize, or a larger `accumulate`, which splits the batch',
        'out-of-memory',
      );
    }
    this.#size += pages * PAGE;
  }

  /** A view of float32 values in the memory. */
  floats(pointer: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, length);
  }

  /** A view of int32 values in the memory. */
  integers(pointer: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, length);
  }
}

function carveReserved(reservation: Reservation | undefined, size: number): number | undefined {
  if (!reservation || reservation.free.bytes < size) return undefined;
  reservation.free.join();
  return reservation.free.cut(size);
}
