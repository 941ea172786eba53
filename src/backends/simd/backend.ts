/**
 * The tfjs backend: stock CPU kernels on tensors in the shared memory, and vitmim's kernels (src/backends/simd/kernels)
 * for the operations that take most of the training time.
 *
 * All float32 and int32 tensors are in the shared memory, each in a block of its own. The results of stock kernels are
 * copied into it. Tensors that only products read may be stored as bfloat16; for tfjs they are float32.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type * as tf from '@tensorflow/tfjs';
import type { Recorded, Recorder } from '../../ops/repeat.js';
import { BFLOAT16, type Address } from './address.js';
import type { Bfloat16Choice } from './bfloat16-choice.js';
import type { SharedHeap } from './memory.js';
import { StepRecorder, type HeapPlace, type Work } from './recorder.js';
import type { TaskArguments, TaskName } from './tasks/index.js';
import type { ThreadPool } from './threads.js';

type Values = tf.backend_util.BackendValues;
type DataId = tf.TensorInfo['dataId'];

export class SimdBackend extends MathBackendCPU implements Recorder {
  readonly heap: SharedHeap;
  readonly threads: ThreadPool;
  /** Whether repeated steps are recorded. Otherwise tfjs calls each kernel in each step, so that it can be measured. */
  recordsSteps = true;

  readonly #choose: () => Bfloat16Choice;
  #bfloat16: Bfloat16Choice | undefined;
  /** The values of tensors in bfloat16: of those that are stored so, and of weights, which are kept in both types. */
  readonly #rounded = new WeakMap<DataId, Address>();
  readonly #recorder = new StepRecorder(this);

  /** @param choose Called before the first product of bfloat16 matrices. */
  constructor(heap: SharedHeap, threads: ThreadPool, choose: () => Bfloat16Choice) {
    super();
    this.heap = heap;
    this.threads = threads;
    this.#choose = choose;
  }

  /** How bfloat16 matrices are multiplied. */
  get bfloat16(): Bfloat16Choice {
    return (this.#bfloat16 ??= this.#choose());
  }

  /**
   * Does a part of a kernel's work, and does it again in each repetition of a step that is being recorded. Kernels read
   * and write the values of tensors only here and by {@link run}.
   */
  perform(work: Work): void {
    work(this.threads);
    this.#recorder.current?.works.push(work);
  }

  /** Runs a task on all threads; see src/backends/simd/tasks. */
  run<Name extends TaskName>(name: Name, chunks: number, values: TaskArguments[Name]): void {
    this.perform((threads) => {
      threads.run(name, chunks, values);
    });
  }

  mayRecord(): boolean {
    return this.recordsSteps;
  }

  record(inputs: readonly tf.TensorInfo[], f: () => void): Recorded | undefined {
    return this.#recorder.record(inputs, f);
  }

  /** Declares that a kernel does work that cannot be recorded. */
  refuseRecording(): void {
    if (this.#recorder.current) this.#recorder.current.refused = true;
  }

  placeOf(dataId: DataId): HeapPlace | undefined {
    if (!this.data.has(dataId)) return undefined;
    const values = storedValues(this.data.get(dataId));
    const address = isNumeric(values) && isOurs(values) ? (values.byteOffset as Address) : undefined;
    return { address, rounded: this.#rounded.get(dataId) };
  }

  /** Address of a float32 or int32 tensor. One that is stored as bfloat16 is widened first. */
  address(tensor: { dataId: object }): Address {
    return this.values(tensor).byteOffset as Address;
  }

  /** The values of a float32 or int32 tensor, in place. */
  values({ dataId }: { dataId: object }): Float32Array {
    const values = this.data.get(dataId).values as Float32Array;
    this.#recorder.note(dataId);
    return values;
  }

  /** A new float32 tensor whose values are not yet set. */
  output(shape: readonly number[]): tf.TensorInfo {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = this.heap.floats(this.heap.allocate(4 * length), length);
    return { dataId: super.write(values, [...shape], 'float32'), shape: [...shape], dtype: 'float32' };
  }

  /** A new tensor that is stored as bfloat16. */
  outputBfloat16(shape: readonly number[]): tf.TensorInfo {
    const length = shape.reduce((a, b) => a * b, 1);
    const dataId = super.write(new Float32Array(0), [...shape], 'float32');
    const rounded = this.heap.allocate(BFLOAT16 * length);
    this.#rounded.set(dataId, rounded);
    this.data.set(dataId, new StoredAsBfloat16(() => this.#widened(rounded, length)));
    return { dataId, shape: [...shape], dtype: 'float32' };
  }

  /** Address of a tensor's values in bfloat16; undefined: it has none. */
  bfloat16Address({ dataId }: { dataId: object }): Address | undefined {
    this.#recorder.note(dataId);
    return this.#rounded.get(dataId);
  }

  /** Address of a tensor's values in the type in which it was created. */
  storedAddress(tensor: tf.TensorInfo): Address {
    return this.bfloat16Address(tensor) ?? this.address(tensor);
  }

  /**
   * Memory for a tensor's values in bfloat16, which the caller writes. They are valid until the tensor is disposed of, so
   * a kernel that changes the tensor in place also writes them, or calls {@link dropBfloat16}.
   */
  keepBfloat16({ dataId, shape }: tf.TensorInfo): Address {
    const rounded = this.heap.allocate(BFLOAT16 * shape.reduce((a, b) => a * b, 1));
    this.#rounded.set(dataId, rounded);
    return rounded;
  }

  /** Discards a tensor's values in bfloat16, since its float32 values change. */
  dropBfloat16(dataId: DataId): void {
    const rounded = this.#rounded.get(dataId);
    if (rounded !== undefined) this.heap.free(rounded);
    this.#rounded.delete(dataId);
  }

  #widened(rounded: Address, length: number): Float32Array {
    const out = this.heap.allocate(4 * length);
    this.perform(({ kernels }) => {
      kernels.widenRows({ x: rounded, xStride: 0, out, outStride: 0, rows: 1, columns: length });
    });
    return this.heap.floats(out, length);
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
    const pointer = this.heap.allocateConstant(4 * values.length);
    const copy =
      dtype === 'float32' ? this.heap.floats(pointer, values.length) : this.heap.integers(pointer, values.length);
    copy.set(values);
    return copy;
  }

  /** A copy on the JavaScript heap, which the caller may keep. */
  override readSync(dataId: DataId): Values {
    this.refuseRecording(); // the value may differ in the next call
    const values = super.readSync(dataId);
    return isNumeric(values) && isOurs(values) ? values.slice() : values;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const data = this.data.has(dataId) ? this.data.get(dataId) : undefined;
    const gone = super.disposeData(dataId, force);
    if (!gone) return false;
    const values = data && storedValues(data);
    if (isNumeric(values) && isOurs(values)) this.heap.free(values.byteOffset);
    this.dropBfloat16(dataId);
    return true;
  }

  override dispose(): void {
    this.threads.close();
  }
}

/** tfjs's record of a tensor that is stored as bfloat16. Its float32 values are computed when a kernel reads them. */
class StoredAsBfloat16 {
  readonly dtype = 'float32';
  /** tfjs counts references here. */
  refCount = 1;
  /** undefined: no kernel has read them. */
  widened: Float32Array | undefined;
  readonly #widen: () => Float32Array;

  constructor(widen: () => Float32Array) {
    this.#widen = widen;
  }

  get values(): Float32Array {
    return (this.widened ??= this.#widen());
  }
}

/** The float32 or int32 values of a tensor; undefined: it is stored as bfloat16, and they have not been computed. */
function storedValues(data: { readonly values?: unknown }): unknown {
  return data instanceof StoredAsBfloat16 ? data.widened : data.values;
}

function isNumeric(values: unknown): values is Float32Array | Int32Array | Uint8Array {
  return ArrayBuffer.isView(values);
}

/** Whether values are a view of the shared memory. No tensor has views of other shared buffers: `write` copies those. */
function isOurs(values: ArrayBufferView): boolean {
  return values.buffer instanceof SharedArrayBuffer;
}
