/**
 * Values on their way to the device. They are written to a buffer that nobody waits for, at once: for each upload tfjs
 * itself makes another one, to be mapped.
 */
import type * as tf from '@tensorflow/tfjs';
import { messageOf, TrainingError } from '../../common/errors.js';
import type { Piece } from '../../ops/crop.js';
import type { Internals } from './internals.js';

/** What a tensor's buffer is used for; that of tfjs. */
export const TENSOR = 0x80 | 0x8 | 0x4; // STORAGE | COPY_DST | COPY_SRC

/** What uploads need of their backend. */
interface Uploading {
  readonly device: GPUDevice;
  readonly internals: Internals;
  /** The encoder of commands, with no pass under way. */
  commands(): GPUCommandEncoder;
  submit(): void;
}

export class Uploads {
  readonly #backend: Uploading;
  readonly #staging = new Staging();

  constructor(backend: Uploading) {
    this.#backend = backend;
  }

  /** The values of a tensor: everything that is no floating point number as an integer of 32 bits. */
  values(values: ArrayLike<number>, dtype: tf.DataType): GPUBuffer {
    const Words = dtype === 'float32' ? Float32Array : Int32Array;
    return this.#write(values instanceof Words ? (values as Float32Array<ArrayBuffer>) : Words.from(values), TENSOR);
  }

  /** Numbers of one pass. */
  uniforms(values: readonly number[]): GPUBuffer {
    const buffer = this.#write(Float32Array.from(values), GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM);
    this.#backend.internals.uniformPendingDisposal.push(buffer);
    return buffer;
  }

  /**
   * A tensor of so many bytes, in pieces: of a batch of images a hundred megabytes, which are copied once, to memory that the
   * device can read. (Dawn's binding for Node would crash if it were to write from memory that threads share.)
   */
  pieces(pieces: readonly Piece[], size: number): GPUBuffer {
    const { device, internals } = this.#backend;
    const buffer = internals.bufferManager.acquireConstant(size, TENSOR);
    const staged = this.#staging.take(device, size);
    const memory = new Uint8Array(staged.buffer.getMappedRange());
    for (const { at, bytes } of pieces) memory.set(bytes, at);
    staged.buffer.unmap();
    this.#backend.commands().copyBufferToBuffer(staged.buffer, 0, buffer, 0, size);
    this.#backend.submit(); // or it could not be asked back
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

/** Batches that are under way to a device which does not fall behind. */
const MOST_STAGED = 4;

/** Buffers to be filled here and copied from there. Each is mapped again once the device has read it. */
class Staging {
  readonly #mapped: Staged[] = [];

  /**
   * One of that size or larger. Where all are smaller, one of them goes for it.
   *
   * @throws TrainingError where there is no room for it.
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
      const reason = `no memory is left to bring ${mebibytes} MiB to the graphics device (${messageOf(error)})`;
      throw new TrainingError(reason, 'out-of-memory');
    }
  }

  giveBack(staged: Staged): void {
    staged.buffer.mapAsync(GPUMapMode.WRITE).then(
      () => {
        if (this.#mapped.length < MOST_STAGED) this.#mapped.push(staged);
        else staged.buffer.destroy();
      },
      () => undefined, // the device has gone, and says so when it is read
    );
  }
}
