/**
 * The tfjs backend: stock WebGPU kernels, and our own for what training spends its time on (`kernels/`). A pass of ours
 * is WGSL with all sizes written into it, compiled once for each set of sizes.
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

/** Values that are on the device alone; tfjs has null for it and does not say so in the type. */
const NOT_READ = null as unknown as tf.backend_util.BackendValues;

export class VitBackend extends WebGPUBackend implements Recorder {
  readonly #internals = internalsOf(this);
  readonly #health: Health;
  readonly #pipelines: Pipelines;
  readonly #bindGroups: BindGroups;
  readonly #uploads: Uploads;
  readonly #recorder: StepRecorder;
  /** Whose values lie in the buffer as float16. To tfjs they are float32: whoever does not know gets them as such. */
  readonly #halves = new WeakSet<object>();
  /** What is known of tensors beside their values. */
  readonly notes = new Notes((...tensors) => {
    this.release(...tensors);
  });
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
      // One that is disposed of may still be there, for the sake of passes that are not yet handed over.
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

  /** @throws TrainingError when the device has failed: what it holds is worth nothing. */
  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    this.#makeWide(dataId);
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

  /** The same, of values that are kept as float16. */
  outputHalf(shape: readonly number[]): tf.TensorInfo {
    this.#checkSize(shape, 2);
    const tensor = this.output(shape);
    // In whole vectors of eight, as some passes move them.
    const bytes = 16 * Math.ceil(sizeOf(shape) / 8);
    this.tensorMap.get(tensor.dataId).resource = this.bufferManager.acquireBuffer(bytes, TENSOR);
    this.#halves.add(tensor.dataId);
    return tensor;
  }

  /** A new tensor of so many bytes, in words, of which these are written at once. */
  outputOf(pieces: readonly Piece[], size: number): tf.TensorInfo {
    const tensor = this.output([size / 4], 'int32');
    this.tensorMap.get(tensor.dataId).resource = this.#uploads.pieces(pieces, size);
    return tensor;
  }

  /** A new tensor that is only known rounded: whoever needs more of it than that gets it widened. */
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

  /** Of small tensors tfjs computes without the device, from values that ours do not have there. */
  override shouldExecuteOnCPU(inputs: tf.TensorInfo[], sizeThreshold?: number): boolean {
    for (const { dataId } of inputs) this.#makeWide(dataId);
    return super.shouldExecuteOnCPU(inputs, sizeThreshold);
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
    const { pipeline, layout } = this.#pipelines.of(pass);
    const resources = operands.map((operand) => this.#bufferOf(operand));
    if (pass.uniforms) resources.push(this.#uploads.uniforms(pass.uniforms));
    const bindGroup = this.#bindGroups.of(layout, resources);
    const internals = this.#internals;
    const timed = internals.activeTimers !== undefined && internals.supportTimestampQuery;
    if (timed) this.#beginTimedPass();
    const encoder = this.#passEncoder();
    encoder.setPipeline(pipeline);
    encoder.setBindGroup(0, bindGroup);
    encoder.dispatchWorkgroups(...pass.groups);
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

  /** A program of tfjs's own. */
  override runWebGPUProgram(...call: StockProgram): tf.TensorInfo {
    const recording = this.#recorder.current;
    if (!recording) return super.runWebGPUProgram(...call);
    const [, inputs] = call;
    for (const { dataId } of inputs) this.uploadToGPU(dataId); // or it would leave the encoder that is listened to
    this.#passEncoder();
    const before = recording.length;
    const output = super.runWebGPUProgram(...call);
    if (sizeOf(output.shape) === 0) return output;
    if (recording.length !== before + 1) throw new Error('a program of tfjs ran unseen');
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

  /** Hands over to the device what was asked for. */
  submit(): void {
    this.#commands();
    this.submitQueue();
  }

  /** The encoder of commands, with no pass under way. */
  #commands(): GPUCommandEncoder {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    return this.#internals.commandEncoder!;
  }

  /** Compiles passes that are going to be run. */
  async prepare(passes: readonly Pass[]): Promise<void> {
    await this.#pipelines.prepare(passes);
  }

  #bufferOf({ tensor: { dataId }, stored }: Operand): GPUBuffer {
    if (!stored) this.uploadToGPU(dataId);
    else if (!this.#halves.has(dataId)) throw new Error('a pass takes a tensor for float16 that is not');
    return this.#bufferOfData(dataId);
  }

  #bufferOfData(dataId: object): GPUBuffer {
    return this.tensorMap.get(dataId).resource as GPUBuffer;
  }

  /** What has been read of it before is out of date, and so is what was noted, but for what is written along with it. */
  #hasBeenWritten(dataId: object, written: ReadonlySet<object>): void {
    this.tensorMap.get(dataId).values = NOT_READ;
    this.notes.hasBeenWritten(dataId, written);
  }

  /** Brings a tensor to float32 that is in float16, or has no values but such. */
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
    // Each takes the other's buffer, and the float16 goes with what is released.
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
        `a tensor [${shape.join()}] of ${mebibytes(bytes)} is beyond the ${mebibytes(most)} that shaders of this graphics device can see at once`,
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
