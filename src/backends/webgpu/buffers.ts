/**
 * The device's buffers, kept to be used again. In the place of tfjs's own manager, which gives out the buffer that came
 * back last: so each step would find them in another order, and need other bind groups than all steps before it.
 */

/** Buffers of one size and usage, in the order in which they were made. */
interface Shelf {
  readonly buffers: GPUBuffer[];
  readonly free: boolean[];
  /** None before it is free. */
  lowest: number;
}

/** Where a buffer that is used again belongs. */
interface Place {
  readonly shelf: Shelf;
  readonly index: number;
  /** Bytes, which to ask the buffer for would take longer than all else. */
  readonly size: number;
}

/** What tfjs asks of a manager of buffers. */
export interface BufferManager {
  readonly numBytesUsed: number;
  readonly numBytesAllocated: number;
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation?: boolean, reuse?: boolean): GPUBuffer;
  /** A buffer that is written once, from here. */
  acquireConstant(size: number, usage: GPUBufferUsageFlags): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
  getNumUsedBuffers(): number;
  getNumFreeBuffers(): number;
  dispose(): void;
}

/** Gives out the free buffer that was made first: where it stands says all. */
export class Buffers implements BufferManager {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  readonly #device: GPUDevice;
  readonly #shelves = new Map<string, Shelf>();
  readonly #places = new Map<GPUBuffer, Place>();
  /** Those that are used once. */
  readonly #single = new Set<GPUBuffer>();
  /** Those that are not given out again for now, and whether they have come back. */
  readonly #kept = new Map<GPUBuffer, boolean>();
  #used = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** @param mappedAtCreation Holds of a new one alone. */
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    this.#used += 1;
    this.numBytesUsed += size;
    const make = (): GPUBuffer => {
      this.numBytesAllocated += size;
      return this.#device.createBuffer({ size, usage, mappedAtCreation });
    };
    if (!reuse) {
      const buffer = make();
      this.#single.add(buffer);
      return buffer;
    }
    const key = `${size} ${usage}`;
    let shelf = this.#shelves.get(key);
    if (!shelf) {
      shelf = { buffers: [], free: [], lowest: 0 };
      this.#shelves.set(key, shelf);
    }
    const found = shelf.free.indexOf(true, shelf.lowest);
    const index = found < 0 ? shelf.buffers.length : found;
    if (found < 0) {
      const buffer = make();
      shelf.buffers.push(buffer);
      this.#places.set(buffer, { shelf, index, size });
    }
    shelf.free[index] = false;
    shelf.lowest = index + 1;
    return shelf.buffers[index]!;
  }

  acquireConstant(size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.acquireBuffer(size, usage);
  }

  /** @param reuse Otherwise it is destroyed. One that is not known, as none is after all are disposed of, is passed over. */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const place = this.#places.get(buffer);
    if (this.#kept.has(buffer)) this.#kept.set(buffer, true);
    else if (place) {
      if (!reuse) throw new Error('a buffer that others may be waiting for is not destroyed');
      const { shelf, index, size } = place;
      if (shelf.free[index]) throw new Error('a buffer comes back twice');
      this.#used -= 1;
      this.numBytesUsed -= size;
      shelf.free[index] = true;
      shelf.lowest = Math.min(shelf.lowest, index);
    } else if (this.#single.delete(buffer)) {
      this.#used -= 1;
      this.numBytesUsed -= buffer.size;
      this.numBytesAllocated -= buffer.size;
      buffer.destroy();
    }
  }

  /** Holds on to a buffer, whoever may give it back meanwhile, until {@link letGo}. */
  keep(buffer: GPUBuffer): void {
    this.#kept.set(buffer, false);
  }

  letGo(buffer: GPUBuffer): void {
    const cameBack = this.#kept.get(buffer);
    this.#kept.delete(buffer);
    if (cameBack === true) this.releaseBuffer(buffer);
  }

  getNumUsedBuffers(): number {
    return this.#used;
  }

  getNumFreeBuffers(): number {
    return this.#places.size + this.#single.size - this.#used;
  }

  dispose(): void {
    for (const buffer of [...this.#places.keys(), ...this.#single]) buffer.destroy();
    this.#shelves.clear();
    this.#places.clear();
    this.#single.clear();
    this.#kept.clear();
    this.#used = 0;
    this.numBytesUsed = 0;
    this.numBytesAllocated = 0;
  }
}
