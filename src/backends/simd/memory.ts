/**
 * The WebAssembly memory that holds the tensors of the simd backend, with its allocator. The memory is shared, so that all
 * threads and the system's BLAS work on the same bytes. Only the main thread uses the allocator.
 */
import { messageOf, TrainingError, UsageError } from '../../common/errors.js';
import type { Address } from './address.js';

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

/** Allocator of the shared memory. */
export class SharedHeap {
  readonly memory: WebAssembly.Memory;
  /** First byte that was never allocated. */
  #top = BASE;
  #size = BASE;
  readonly #limit: number;
  /** Size of each block in use. */
  readonly #used = new Map<number, number>();
  /** Free blocks by size. */
  #free = new Map<number, number[]>();
  #freeBytes = 0;

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
    return { used: this.#top - BASE - this.#freeBytes, size: this.#size };
  }

  /**
   * Reserves a block, 64-byte aligned, its contents undefined.
   *
   * @returns Its address.
   * @throws TrainingError when 4 GiB are not enough.
   */
  allocate(bytes: number): Address {
    const size = blockSize(bytes);
    const pointer = this.#reuse(size) ?? this.#extend(size);
    this.#used.set(pointer, size);
    return pointer as Address;
  }

  /** Frees a block. */
  free(pointer: number): void {
    const size = this.#used.get(pointer);
    if (size === undefined) throw new Error(`no block begins at ${pointer}`);
    this.#used.delete(pointer);
    this.#keepFree(pointer, size);
  }

  #keepFree(pointer: number, size: number): void {
    const blocks = this.#free.get(size);
    if (blocks) blocks.push(pointer);
    else this.#free.set(size, [pointer]);
    this.#freeBytes += size;
  }

  #reuse(size: number): number | undefined {
    const pointer = this.#free.get(size)?.pop();
    if (pointer !== undefined) this.#freeBytes -= size;
    return pointer;
  }

  /** Allocates new space after all blocks. If the memory would have to grow, searches the free blocks first. */
  #extend(size: number): number {
    if (this.#top + size > this.#size) {
      const found = this.#freeBytes > 0 ? this.#carve(size) : undefined;
      if (found !== undefined) return found;
      this.#grow(this.#top + size); // joining free blocks may have lowered the top
    }
    const pointer = this.#top;
    this.#top += size;
    return pointer;
  }

  /** Joins neighbouring free blocks, and cuts a block out of the smallest one that is large enough. */
  #carve(size: number): number | undefined {
    const blocks = [...this.#free].flatMap(([length, pointers]) => pointers.map((pointer) => ({ pointer, length })));
    blocks.sort((a, b) => a.pointer - b.pointer);
    const joined: typeof blocks = [];
    for (const block of blocks) {
      const last = joined.at(-1);
      if (last && last.pointer + last.length === block.pointer) last.length += block.length;
      else joined.push(block);
    }
    const last = joined.at(-1);
    if (last && last.pointer + last.length === this.#top) {
      this.#top = last.pointer;
      joined.pop();
    }
    this.#free = new Map();
    this.#freeBytes = 0;
    for (const { pointer, length } of joined) this.#keepFree(pointer, length);

    if (this.#top + size <= this.#size) return undefined;
    const lengths = [...this.#free].filter(([length, at]) => length >= size && at.length > 0).map(([length]) => length);
    if (lengths.length === 0) return undefined;
    const length = Math.min(...lengths);
    const pointer = this.#reuse(length)!;
    if (length > size) this.#keepFree(pointer + size, length - size);
    return pointer;
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
