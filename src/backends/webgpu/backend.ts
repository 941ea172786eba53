/**
 * The tfjs backend: stock WebGPU kernels, and our own for what training spends its time on (`kernels/`). A pass of ours
 * is WGSL with all sizes written into it, compiled once for each set of sizes.
 */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../kernels.js';
import { TrainingError } from '../../common/errors.js';
import { BindGroups } from './bind-groups.js';
import type { Health } from './health.js';
import { internalsOf } from './internals.js';
import { lanesFor, type Operand, type Pass } from './pass.js';
import type { MatrixUnits } from './passes/matrix-units.js';
import type { Pipelines } from './pipelines.js';
import { widening } from './widen.js';

/** Passes recorded before they are handed to the device: fewer would let it wait, more would hold buffers longer. */
const PASSES_PER_SUBMISSION = 64;

/** Values that are on the device alone; tfjs has null for it and does not say so in the type. */
const NOT_READ = null as unknown as tf.backend_util.BackendValues;

export class VitBackend extends WebGPUBackend {
  readonly #internals = internalsOf(this);
  readonly #health: Health;
  readonly #pipelines: Pipelines;
  readonly #bindGroups: BindGroups;
  /** Whose values lie in the buffer as float16. To tfjs they are float32: whoever does not know gets them as such. */
  readonly #halves = new WeakSet<object>();

  /** Of some tensors, what their values are at most: the largest of each part of them. */
  readonly #largest = new Map<object, tf.TensorInfo>();
  /** null where it has none that are of use here. */
  readonly matrixUnits: MatrixUnits | null;

  constructor(
    device: GPUDevice,
    adapter: GPUAdapterInfo,
    { health, pipelines, matrixUnits }: { health: Health; pipelines: Pipelines; matrixUnits: MatrixUnits | null },
  ) {
    super(device, adapter);
    this.matrixUnits = matrixUnits;
    this.#health = health;
    this.#pipelines = pipelines;
    this.#bindGroups = new BindGroups(device);
  }

  /** @throws TrainingError when the device has failed: what it holds is worth nothing. */
  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    this.#widen(dataId);
    let values: tf.backend_util.BackendValues | undefined;
    let refusal: unknown;
    try {
      values = await super.read(dataId);
    } catch (error) {
      refusal = error; // of a lost device; its event may come after it
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#health.check();
    if (values === undefined) throw refusal;
    return values;
  }

  /** @throws TrainingError for a tensor that no shader could see whole. */
  override uploadToGPU(dataId: object): void {
    this.#widen(dataId);
    const { shape, resource } = this.tensorMap.get(dataId);
    if (resource != null) return;
    this.#checkSize(shape, 4);
    super.uploadToGPU(dataId);
  }

  /** A new tensor whose values are not yet set. */
  output(shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): tf.TensorInfo {
    return this.makeTensorInfo([...shape], dtype);
  }

  /** The same, of values that are kept as float16. */
  outputHalf(shape: readonly number[]): tf.TensorInfo {
    this.#checkSize(shape, 2);
    const tensor = this.output(shape);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    // In whole vectors of eight, as some passes move them.
    this.tensorMap.get(tensor.dataId).resource = this.bufferManager.acquireBuffer(
      16 * Math.ceil(sizeOf(shape) / 8),
      usage,
    );
    this.#halves.add(tensor.dataId);
    return tensor;
  }

  /** Keeps the largest absolute values of the parts of a tensor for as long as the tensor lives. */
  noteLargest({ dataId }: tf.TensorInfo, parts: tf.TensorInfo): void {
    this.#largest.set(dataId, parts);
  }

  largestOf({ dataId }: tf.TensorInfo): tf.TensorInfo | undefined {
    return this.#largest.get(dataId);
  }

  override disposeData(dataId: object, force?: boolean): boolean {
    const gone = super.disposeData(dataId, force);
    const parts = gone ? this.#largest.get(dataId) : undefined;
    if (parts) {
      this.#largest.delete(dataId);
      this.release(parts);
    }
    return gone;
  }

  isHalf({ dataId }: tf.TensorInfo): boolean {
    return this.#halves.has(dataId);
  }

  /** An operand of a pass that takes both: in float16 where the tensor is kept so. */
  asStored(tensor: tf.TensorInfo, columns: number): Operand {
    const operand = lanesFor(tensor, columns);
    return this.isHalf(tensor) ? { ...operand, stored: 'half' } : operand;
  }

  /** The same values under another shape, or for an output that would be a copy of an input. */
  shared(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** Gives back a tensor that only the kernel itself has seen. */
  release(...tensors: readonly tf.TensorInfo[]): void {
    for (const { dataId } of tensors) this.disposeData(dataId);
  }

  /** Records a pass; it runs when the queue is next submitted, after all that was recorded before. */
  run(pass: Pass): void {
    const operands = [...Object.values(pass.reads), ...Object.values(pass.writes)];
    const pipeline = this.#pipelines.of(pass);
    const resources = operands.map((operand) => this.#bufferOf(operand));
    if (pass.uniforms) resources.push(this.#upload(pass.uniforms));
    const bindGroup = this.#bindGroups.of(this.#pipelines.layoutOf(pass), resources);
    const internals = this.#internals;
    const timed = internals.activeTimers !== undefined && internals.supportTimestampQuery;
    this.ensureCommandEncoderReady();
    if (timed) this.#beginTimedPass();
    const encoder = (internals.computePassEncoder ??= internals.commandEncoder!.beginComputePass());
    encoder.setPipeline(pipeline);
    encoder.setBindGroup(0, bindGroup);
    encoder.dispatchWorkgroups(...pass.groups);
    for (const { tensor } of operands) internals.commandQueueOwnedIds.add(tensor.dataId);
    // What has been read of them before is out of date.
    for (const { tensor } of Object.values(pass.writes)) this.tensorMap.get(tensor.dataId).values = NOT_READ;
    internals.dispatchCountInPass += 1;
    if (timed) {
      this.endComputePassEncoder();
      internals.activeTimers!.push({ name: pass.name, query: this.getQueryTime() });
    } else if (internals.dispatchCountInPass >= PASSES_PER_SUBMISSION) {
      this.endComputePassEncoder();
      this.submitQueue();
    }
  }

  /** Compiles passes that are going to be run. */
  async prepare(passes: readonly Pass[]): Promise<void> {
    await this.#pipelines.prepare(passes);
  }

  #bufferOf({ tensor: { dataId }, stored }: Operand): GPUBuffer {
    if (!stored) this.uploadToGPU(dataId);
    else if (!this.#halves.has(dataId)) throw new Error('a pass takes a tensor for float16 that is not');
    return this.tensorMap.get(dataId).resource as GPUBuffer;
  }

  /** Brings a tensor from float16 to float32. */
  #widen(dataId: object): void {
    if (!this.#halves.has(dataId)) return;
    const data = this.tensorMap.get(dataId);
    const wide = this.output(data.shape);
    const size = sizeOf(data.shape);
    this.run(widening(this.asStored({ ...wide, dataId }, size), lanesFor(wide, size), size));
    const wideData = this.tensorMap.get(wide.dataId);
    const half = data.resource!;
    data.resource = wideData.resource!;
    wideData.resource = half;
    this.#halves.delete(dataId);
    this.release(wide);
  }

  #checkSize(shape: readonly number[], bytesOfValue: number): void {
    const bytes = bytesOfValue * sizeOf(shape);
    const most = this.device.limits.maxStorageBufferBindingSize;
    if (bytes > most) {
      throw new TrainingError(
        `a tensor [${shape.join()}] of ${mebibytes(bytes)} is beyond the ${mebibytes(most)} that shaders of this graphics device can see at once`,
        'out-of-memory',
      );
    }
  }

  #upload(values: readonly number[]): GPUBuffer {
    const data = Float32Array.from(values);
    const buffer = this.bufferManager.acquireBuffer(data.byteLength, GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM);
    this.queue.writeBuffer(buffer, 0, data);
    this.#internals.uniformPendingDisposal.push(buffer);
    return buffer;
  }

  #beginTimedPass(): void {
    const internals = this.#internals;
    this.endComputePassEncoder();
    internals.querySet ??= this.device.createQuerySet({ type: 'timestamp', count: 2 });
    internals.computePassEncoder = internals.commandEncoder!.beginComputePass({
      timestampWrites: { querySet: internals.querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
