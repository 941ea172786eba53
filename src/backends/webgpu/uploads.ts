/**
 * Values on their way to the device. They are written to a buffer that nobody waits for, at once: for each upload tfjs
 * itself makes another one, to be mapped.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Internals } from './internals.js';

/** What a tensor's buffer is used for; that of tfjs. */
export const TENSOR = 0x80 | 0x8 | 0x4; // STORAGE | COPY_DST | COPY_SRC

/** Bytes, and where in a buffer they go. */
interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export class Uploads {
  readonly #queue: GPUQueue;
  readonly #internals: Internals;
  #copy = new Uint8Array(0);

  constructor(queue: GPUQueue, internals: Internals) {
    this.#queue = queue;
    this.#internals = internals;
  }

  /** The values of a tensor: everything that is no floating point number as an integer of 32 bits. */
  values(values: ArrayLike<number>, dtype: tf.DataType): GPUBuffer {
    const Words = dtype === 'float32' ? Float32Array : Int32Array;
    return this.#write(values instanceof Words ? (values as Float32Array<ArrayBuffer>) : Words.from(values), TENSOR);
  }

  /** Numbers of one pass. */
  uniforms(values: readonly number[]): GPUBuffer {
    const buffer = this.#write(Float32Array.from(values), GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM);
    this.#internals.uniformPendingDisposal.push(buffer);
    return buffer;
  }

  /** A tensor of so many bytes, in pieces. */
  pieces(pieces: readonly Piece[], size: number): GPUBuffer {
    const buffer = this.#internals.bufferManager.acquireConstant(size, TENSOR);
    for (const { at, bytes } of pieces) this.#queue.writeBuffer(buffer, at, this.#unshared(bytes));
    return buffer;
  }

  #write(data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.#internals.bufferManager.acquireConstant(data.byteLength, usage);
    this.#queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  /** The bytes, or a copy of those in shared memory, at which Dawn's binding for Node crashes; until the next copy. */
  #unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    if (bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
    if (this.#copy.length < bytes.length) this.#copy = new Uint8Array(bytes.length);
    this.#copy.set(bytes);
    return this.#copy.subarray(0, bytes.length);
  }
}
