/**
 * The tfjs backend: stock WebGPU kernels, and vitmim's kernels (`kernels/`) for the operations that take most of the
 * training time. A pass of these is WGSL with all sizes as constants, compiled once for each set of sizes.
 */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../kernels.js';
import { TrainingError } from '../../common/errors.js';
import type { Piece } from '../../ops/crop.js';
import type { Recorded, Recorder } from '../../ops/repeat.js';
import { BindGroups } from './bind-groups.js';
import { Buffers } from './buffers.js';
import type { Health } from './health.js';
import { internalsOf } from './internals.js';
import { Notes, type Rounded } from './notes.js';
import { lanesFor, PASSES_PER_SUBMISSION, type Operand, type Pass } from './pass.js';
import type { MatrixUnits } from './passes/matrix-units.js';
import type { Pipelines } from './pipelines.js';
import { StepRecorder } from './recorder.js';
import { TENSOR, Uploads } from './uploads.js';
import { widening } from './widen.js';

type StockProgram = Parameters<WebGPUBackend['runWebGPUProgram']>;

/** The value of tensors that are only on the device. tfjs uses null for them, which its type does not allow. */
const NOT_READ = null as unknown as tf.backend_util.BackendValues;

export class VitBackend extends WebGPUBackend implements Recorder {
  readonly #internals = internalsOf(this);
  readonly #health: Health;
  readonly #pipelines: Pipelines;
  readonly #bindGroups: BindGroups;
  readonly #uploads: Uploads;
  readonly #recorder: StepRecorder;
  /**
   * Tensors whose buffers contain float16. For tfjs they are float32: for kernels that do not read float16, they are
   * widened.
   */
  readonly #halves = new WeakSet<object>();
  /** What is known about tensors besides their values. */
  readonly notes = new Notes((...tensors) => {
    this.release(...tensors);
  });
  /** null: the device has none, or none that can be used here. */
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
    const buffers = new Buffers(device);
    this.#internals.bufferManager = buffers;
    const access = {
      device,
      internals: this.#internals,
      buffers,
      commands: () => this.#commands(),
      submit: () => {
        this.submit();
      },
      // A disposed tensor may still exist, for passes that are not yet submitted.
      isAlive: (dataId: object) => this.refCount(dataId) > 0,
      bufferOf: (dataId: object) => this.#bufferOfData(dataId),
      takeIn: (dataId: object) => {
        this.uploadToGPU(dataId);
        this.notes.forget(dataId);
      },
      hasBeenWritten: (dataId: object, written: ReadonlySet<object>) => {
        this.#hasBeenWritten(dataId, written);
      },
      passEncoder: () => this.#passEncoder(),
    };
    this.#uploads = new Uploads(access);
    this.#recorder = new StepRecorder(access);
  }

  /** @throws TrainingError if the device has failed: its values may be wrong. */
  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    this.#makeWide(dataId);
    let values: tf.backend_util.BackendValues | undefined;
    let refusal: unknown;
    try {
      values = await super.read(dataId);
    } catch (error) {
      refusal = error; // the event of a lost device may arrive after this error
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#health.check();
    if (values === undefined) throw refusal;
    return values;
  }

  /** @throws TrainingError for a tensor that is too large for a shader's buffer. */
  override uploadToGPU(dataId: object): void {
    this.#makeWide(dataId);
    const data = this.tensorMap.get(dataId);
    if (data.resource != null) return;
    this.#checkSize(data.shape, 4);
    const values: unknown = data.values;
    if (values == null) super.uploadToGPU(dataId);
    else {
      data.resource = this.#uploads.values(values as ArrayLike<number>, data.dtype);
      data.values = NOT_READ;
    }
  }

  /** A new tensor whose values are not yet set. */
  output(shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): tf.TensorInfo {
    return this.makeTensorInfo([...shape], dtype);
  }

  /** The same for values that are stored as float16. */
  outputHalf(shape: readonly number[]): tf.TensorInfo {
    this.#checkSize(shape, 2);
    const tensor = this.output(shape);
    // A whole number of vectors of eight, because some passes copy whole vectors.
    const bytes = 16 * Math.ceil(sizeOf(shape) / 8);
    this.tensorMap.get(tensor.dataId).resource = this.bufferManager.acquireBuffer(bytes, TENSOR);
    this.#halves.add(tensor.dataId);
    return tensor;
  }

  /** A new int32 tensor of `size` bytes, filled with these pieces. */
  outputOf(pieces: readonly Piece[], size: number): tf.TensorInfo {
    const tensor = this.output([size / 4], 'int32');
    this.tensorMap.get(tensor.dataId).resource = this.#uploads.pieces(pieces, size);
    return tensor;
  }

  /** A new tensor that exists only in float16. For a kernel that needs float32, it is widened. */
  outputRounded(shape: readonly number[], rounded: Rounded): tf.TensorInfo {
    const tensor = this.output(shape);
    this.notes.noteRounded(tensor, rounded);
    return tensor;
  }

  override disposeData(dataId: object, force?: boolean): boolean {
    const gone = super.disposeData(dataId, force);
    if (gone) this.notes.forget(dataId);
    return gone;
  }

  /** tfjs computes with small tensors on the host. Tensors in float16 are widened first, since it would misread them. */
  override shouldExecuteOnCPU(inputs: tf.TensorInfo[], sizeThreshold?: number): boolean {
    for (const { dataId } of inputs) this.#makeWide(dataId);
    return super.shouldExecuteOnCPU(inputs, sizeThreshold);
  }

  isHalf({ dataId }: tf.TensorInfo): boolean {
    return this.#halves.has(dataId);
  }

  /** An operand for a pass that accepts float32 and float16: the type in which the tensor is stored. */
  asStored(tensor: tf.TensorInfo, columns: number): Operand {
    const operand = lanesFor(tensor, columns);
    return this.isHalf(tensor) ? { ...operand, stored: 'half' } : operand;
  }

  /** Another tensor with the same values, for another shape or instead of a copy of an input. */
  shared(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** Disposes of tensors that only the kernel itself uses. */
  release(...tensors: readonly tf.TensorInfo[]): void {
    for (const { dataId } of tensors) this.disposeData(dataId);
  }

  /** Records a pass. It runs at the next submission, after all passes that were recorded before. */
  run(pass: Pass): void {
    const operands = [...Object.values(pass.reads), ...Object.values(pass.writes)];
    const { pipeline, layout, groups } = this.#pipelines.of(pass);
    const resources = operands.map((operand) => this.#bufferOf(operand));
    if (pass.uniforms) resources.push(this.#uploads.uniforms(pass.uniforms));
    const bindGroup = this.#bindGroups.of(layout, resources);
    const internals = this.#internals;
    const timed = internals.activeTimers !== undefined && internals.supportTimestampQuery;
    if (timed) this.#beginTimedPass();
    const encoder = this.#passEncoder();
    encoder.setPipeline(pipeline);
    encoder.setBindGroup(0, bindGroup);
    encoder.dispatchWorkgroups(...groups);
    for (const { tensor } of operands) internals.commandQueueOwnedIds.add(tensor.dataId);
    const written = new Set(Object.values(pass.writes).map(({ tensor }) => tensor.dataId));
    for (const dataId of written) this.#hasBeenWritten(dataId, written);
    const recording = this.#recorder.current;
    if (recording) {
      operands.forEach(({ tensor: { dataId } }, i) => {
        recording.note(dataId, resources[i]!, written.has(dataId));
      });
    }
    internals.dispatchCountInPass += 1;
    if (timed) {
      this.endComputePassEncoder();
      internals.activeTimers!.push({ name: pass.name, query: this.getQueryTime() });
    } else if (internals.dispatchCountInPass >= PASSES_PER_SUBMISSION) {
      this.submit();
    }
  }

  /** Runs a program of tfjs. */
  override runWebGPUProgram(...call: StockProgram): tf.TensorInfo {
    const recording = this.#recorder.current;
    if (!recording) return super.runWebGPUProgram(...call);
    const [, inputs] = call;
    // a later upload would end the encoder that is being recorded
    for (const { dataId } of inputs) this.uploadToGPU(dataId);
    this.#passEncoder();
    const before = recording.length;
    const output = super.runWebGPUProgram(...call);
    if (sizeOf(output.shape) === 0) return output;
    if (recording.length !== before + 1) throw new Error('a program of tfjs ran that was not recorded');
    for (const { dataId } of inputs) recording.note(dataId, this.#bufferOfData(dataId), false);
    recording.note(output.dataId, this.#bufferOfData(output.dataId), true);
    return output;
  }

  mayRecord(): boolean {
    return this.#internals.activeTimers === undefined;
  }

  record(inputs: readonly tf.TensorInfo[], f: () => void): Recorded | undefined {
    return this.#recorder.record(inputs, f);
  }

  #passEncoder(): GPUComputePassEncoder {
    this.ensureCommandEncoderReady();
    const begin = (): GPUComputePassEncoder => {
      const encoder = this.#internals.commandEncoder!.beginComputePass();
      return this.#recorder.current?.listen(encoder) ?? encoder;
    };
    return (this.#internals.computePassEncoder ??= begin());
  }

  /** Submits all recorded passes to the device. */
  submit(): void {
    this.#commands();
    this.submitQueue();
  }

  /** The command encoder, after ending the current compute pass. */
  #commands(): GPUCommandEncoder {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    return this.#internals.commandEncoder!;
  }

  /** Compiles passes in advance. */
  async prepare(passes: readonly Pass[]): Promise<void> {
    await this.#pipelines.prepare(passes);
  }

  #bufferOf({ tensor: { dataId }, stored }: Operand): GPUBuffer {
    if (!stored) this.uploadToGPU(dataId);
    else if (!this.#halves.has(dataId))
      throw new Error('a pass expects float16 for a tensor that is stored as float32');
    return this.#bufferOfData(dataId);
  }

  #bufferOfData(dataId: object): GPUBuffer {
    return this.tensorMap.get(dataId).resource as GPUBuffer;
  }

  /** Discards values that were read before, and the notes, except notes whose tensors were written in the same pass. */
  #hasBeenWritten(dataId: object, written: ReadonlySet<object>): void {
    this.tensorMap.get(dataId).values = NOT_READ;
    this.notes.hasBeenWritten(dataId, written);
  }

  /** Converts a tensor to float32 if it is stored as float16, or exists only in its notes as such. */
  #makeWide(dataId: object): void {
    const rounded = this.notes.roundedOf({ dataId });
    if (!this.#halves.has(dataId) && !rounded) return;
    const data = this.tensorMap.get(dataId);
    const known: unknown = data.resource ?? data.values;
    if (rounded && known) return;
    const wide = this.output(data.shape);
    const size = sizeOf(data.shape);
    const half = rounded?.half ?? { ...wide, dataId };
    this.run(widening(this.asStored(half, size), lanesFor(wide, size), size, rounded?.scale));
    // The two tensors exchange buffers, and the float16 buffer is released.
    const wideData = this.tensorMap.get(wide.dataId);
    const before = data.resource;
    data.resource = wideData.resource!;
    if (before == null) delete wideData.resource;
    else wideData.resource = before;
    this.#halves.delete(dataId);
    this.release(wide);
  }

  #checkSize(shape: readonly number[], bytesOfValue: number): void {
    const bytes = bytesOfValue * sizeOf(shape);
    const most = this.device.limits.maxStorageBufferBindingSize;
    if (bytes > most) {
      throw new TrainingError(
        `a tensor [${shape.join()}] of ${mebibytes(bytes)} exceeds the ${mebibytes(most)} that shaders of this graphics device can access at once`,
        'out-of-memory',
      );
    }
  }

  #beginTimedPass(): void {
    const internals = this.#internals;
    internals.querySet ??= this.device.createQuerySet({ type: 'timestamp', count: 2 });
    internals.computePassEncoder = this.#commands().beginComputePass({
      timestampWrites: { querySet: internals.querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
