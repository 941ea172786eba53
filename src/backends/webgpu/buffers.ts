/**
 * The device's buffers, which are reused. Replaces tfjs's own manager, which reuses the buffer that was freed last: the
 * order of the buffers would differ in every step, and each step would need new bind groups.
 */

/** Buffers of one size and usage, in the order of their creation. */
interface Shelf {
  readonly buffers: GPUBuffer[];
  readonly free: boolean[];
  /** No buffer before this index is free. */
  lowest: number;
}

/** The index of a buffer that can be reused. */
interface Place {
  readonly shelf: Shelf;
  readonly index: number;
  /** Bytes. Stored here, since reading them from the buffer would take longer than all other work. */
  readonly size: number;
}

/** The interface that tfjs needs. */
export interface BufferManager {
  readonly numBytesUsed: number;
  readonly numBytesAllocated: number;
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation?: boolean, reuse?: boolean): GPUBuffer;
  /** A buffer that is written once, by the host. */
  acquireConstant(size: number, usage: GPUBufferUsageFlags): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
  getNumUsedBuffers(): number;
  getNumFreeBuffers(): number;
  dispose(): void;
}

/** Returns the free buffer that was created first. */
export class Buffers implements BufferManager {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  readonly #device: GPUDevice;
  readonly #shelves = new Map<string, Shelf>();
  readonly #places = new Map<GPUBuffer, Place>();
  /** Buffers that are used once. */
  readonly #single = new Set<GPUBuffer>();
  /** Buffers that must not be reused for now, and whether they were released meanwhile. */
  readonly #kept = new Map<GPUBuffer, boolean>();
  #used = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** @param mappedAtCreation Applies only to a new buffer. */
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

  /**
   * @param reuse Whether to keep it for reuse; otherwise it is destroyed. Buffers that are not of this manager are
   * ignored; after dispose() this is true of all buffers.
   */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const place = this.#places.get(buffer);
    if (this.#kept.has(buffer)) this.#kept.set(buffer, true);
    else if (place) {
      if (!reuse) throw new Error('a buffer that can be used again must not be destroyed');
      const { shelf, index, size } = place;
      if (shelf.free[index]) throw new Error('a buffer was released twice');
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

  /** Keeps a buffer from being reused, even if it is released meanwhile, until {@link letGo}. */
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
