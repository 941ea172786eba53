/**
 * Uploads of values to the device. They are written to their buffer directly; tfjs itself would create and map another
 * buffer for each upload.
 */
import type * as tf from '@tensorflow/tfjs';
import { messageOf, TrainingError } from '../../common/errors.js';
import type { Piece } from '../../ops/crop.js';
import type { Internals } from './internals.js';

/** The usage of a tensor's buffer, as in tfjs. */
export const TENSOR = 0x80 | 0x8 | 0x4; // STORAGE | COPY_DST | COPY_SRC

/** The part of its backend that uploads use. */
interface Uploading {
  readonly device: GPUDevice;
  readonly internals: Internals;
  /** The command encoder, after ending the current compute pass. */
  commands(): GPUCommandEncoder;
  submit(): void;
}

export class Uploads {
  readonly #backend: Uploading;
  readonly #staging = new Staging();

  constructor(backend: Uploading) {
    this.#backend = backend;
  }

  /** The values of a tensor. All types except float32 become integers of 32 bits. */
  values(values: ArrayLike<number>, dtype: tf.DataType): GPUBuffer {
    const Words = dtype === 'float32' ? Float32Array : Int32Array;
    return this.#write(values instanceof Words ? (values as Float32Array<ArrayBuffer>) : Words.from(values), TENSOR);
  }

  /** The uniforms of one pass. */
  uniforms(values: readonly number[]): GPUBuffer {
    const buffer = this.#write(Float32Array.from(values), GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM);
    this.#backend.internals.uniformPendingDisposal.push(buffer);
    return buffer;
  }

  /**
   * A tensor of `size` bytes, in pieces. A batch of images has a hundred megabytes, which are copied only once, to
   * memory that the device can read. (Dawn's binding for Node crashes when it writes from memory that threads share.)
   */
  pieces(pieces: readonly Piece[], size: number): GPUBuffer {
    const { device, internals } = this.#backend;
    const buffer = internals.bufferManager.acquireConstant(size, TENSOR);
    const staged = this.#staging.take(device, size);
    const memory = new Uint8Array(staged.buffer.getMappedRange());
    for (const { at, bytes } of pieces) memory.set(bytes, at);
    staged.buffer.unmap();
    this.#backend.commands().copyBufferToBuffer(staged.buffer, 0, buffer, 0, size);
    this.#backend.submit(); // the staging buffer can be mapped again only after that
    this.#staging.giveBack(staged);
    return buffer;
  }

  #write(data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, usage: GPUBufferUsageFlags): GPUBuffer {
    const { device, internals } = this.#backend;
    const buffer = internals.bufferManager.acquireConstant(data.byteLength, usage);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }
}

interface Staged {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

/** Most staging buffers to keep: if the device is fast enough, no more batches are in transfer. */
const MOST_STAGED = 4;

/** Buffers that the host fills and the device copies. Each is mapped again when the device has read it. */
class Staging {
  readonly #mapped: Staged[] = [];

  /**
   * A staging buffer of at least this size. If all are smaller, a new one replaces one of them.
   *
   * @throws TrainingError if there is no memory for it.
   */
  take(device: GPUDevice, size: number): Staged {
    const found = this.#mapped.findIndex((staged) => staged.size >= size);
    if (found >= 0) return this.#mapped.splice(found, 1)[0]!;
    this.#mapped.pop()?.buffer.destroy();
    const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
    try {
      return { buffer: device.createBuffer({ size, usage, mappedAtCreation: true }), size };
    } catch (error) {
      const mebibytes = (size / 2 ** 20).toFixed(0);
      const reason = `no memory is left to upload ${mebibytes} MiB to the graphics device (${messageOf(error)})`;
      throw new TrainingError(reason, 'out-of-memory');
    }
  }

  giveBack(staged: Staged): void {
    staged.buffer.mapAsync(GPUMapMode.WRITE).then(
      () => {
        if (this.#mapped.length < MOST_STAGED) this.#mapped.push(staged);
        else staged.buffer.destroy();
      },
      () => undefined, // the device was lost; reading from it will report that
    );
  }
}
