/**
 * The tfjs backend: stock CPU kernels on tensors in the shared memory, and vitmim's kernels (src/backends/simd/kernels)
 * for the
 * operations that take most of the training time.
 *
 * All float32 and int32 tensors are in the shared memory, each in a block of its own. The results of stock kernels are
 * copied into it.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type * as tf from '@tensorflow/tfjs';
import type { Address } from './address.js';
import type { Kernels } from './exports.js';
import type { SharedHeap } from './memory.js';
import type { TaskArguments, TaskName } from './tasks/index.js';
import type { ThreadPool } from './threads.js';

type Values = tf.backend_util.BackendValues;
type DataId = tf.TensorInfo['dataId'];

export class SimdBackend extends MathBackendCPU {
  readonly heap: SharedHeap;
  readonly threads: ThreadPool;

  constructor(heap: SharedHeap, threads: ThreadPool) {
    super();
    this.heap = heap;
    this.threads = threads;
  }

  /** Runs a task on all threads; see src/backends/simd/tasks. */
  run<Name extends TaskName>(name: Name, chunks: number, values: TaskArguments[Name]): void {
    this.threads.run(name, chunks, values);
  }

  /** Address of a float32 or int32 tensor. */
  address(tensor: { dataId: object }): Address {
    return this.values(tensor).byteOffset as Address;
  }

  /** The values of a float32 or int32 tensor, in place. */
  values({ dataId }: { dataId: object }): Float32Array {
    return this.data.get(dataId).values as Float32Array;
  }

  /** Kernels on the calling thread, for work that is too small to share. */
  get kernels(): Kernels {
    return this.threads.kernels;
  }

  /** A new float32 tensor whose values are not yet set. */
  output(shape: readonly number[]): tf.TensorInfo {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = this.heap.floats(this.heap.allocate(4 * length), length);
    return { dataId: super.write(values, [...shape], 'float32'), shape: [...shape], dtype: 'float32' };
  }

  /** Another tensor with the same values, instead of a copy of an input. */
  shared(tensor: tf.TensorInfo): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: tensor.shape, dtype: tensor.dtype };
  }

  /** Memory for the duration of a call. */
  withScratch<Result>(bytes: number, use: (address: Address) => Result): Result {
    const address = this.heap.allocate(bytes);
    try {
      return use(address);
    } finally {
      this.heap.free(address);
    }
  }

  override write(values: Values, shape: number[], dtype: tf.DataType): DataId {
    return super.write(this.#moved(values, dtype), shape, dtype);
  }

  override move(dataId: DataId, values: Values, shape: number[], dtype: tf.DataType, refCount: number): void {
    super.move(dataId, this.#moved(values, dtype), shape, dtype, refCount);
  }

  /** A copy in the shared memory. A view of that memory is copied too: its tensor may be freed before the copy. */
  #moved(values: Values, dtype: tf.DataType): Values {
    if ((dtype !== 'float32' && dtype !== 'int32') || !isNumeric(values)) return values;
    const pointer = this.heap.allocate(4 * values.length);
    const copy =
      dtype === 'float32' ? this.heap.floats(pointer, values.length) : this.heap.integers(pointer, values.length);
    copy.set(values);
    return copy;
  }

  /** A copy on the JavaScript heap, which the caller may keep. */
  override readSync(dataId: DataId): Values {
    const values = super.readSync(dataId);
    return isNumeric(values) && isOurs(values) ? values.slice() : values;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const values = this.data.has(dataId) ? (this.data.get(dataId).values as unknown) : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && isNumeric(values) && isOurs(values)) this.heap.free(values.byteOffset);
    return gone;
  }

  override dispose(): void {
    this.threads.close();
  }
}

function isNumeric(values: unknown): values is Float32Array | Int32Array | Uint8Array {
  return ArrayBuffer.isView(values);
}

/** Whether values are a view of the shared memory. No tensor has views of other shared buffers: `write` copies those. */
function isOurs(values: ArrayBufferView): boolean {
  return values.buffer instanceof SharedArrayBuffer;
}
