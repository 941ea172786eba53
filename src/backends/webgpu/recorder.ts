/** Records a call of a function and replays it: `src/ops/repeat.ts` describes the purpose. */
import type * as tf from '@tensorflow/tfjs';
import type { Recorded } from '../../ops/repeat.js';
import type { Buffers } from './buffers.js';
import type { Internals } from './internals.js';
import { PASSES_PER_SUBMISSION } from './pass.js';
import { Recording, type Tape } from './recording.js';

/** The part of its backend that a recorder uses. */
export interface Recordable {
  readonly internals: Internals;
  readonly buffers: Buffers;
  /** Whether the tensor still exists. */
  isAlive(dataId: object): boolean;
  bufferOf(dataId: object): GPUBuffer;
  /** Uploads a tensor to the device, in float32, and discards its notes. */
  takeIn(dataId: object): void;
  hasBeenWritten(dataId: object, written: ReadonlySet<object>): void;
  /** The command encoder, after ending the current compute pass. */
  commands(): GPUCommandEncoder;
  passEncoder(): GPUComputePassEncoder;
  submit(): void;
}

export class StepRecorder {
  readonly #backend: Recordable;
  /** The current recording. */
  current: Recording | undefined;

  constructor(backend: Recordable) {
    this.#backend = backend;
  }

  record(inputs: readonly tf.TensorInfo[], f: () => void): Recorded | undefined {
    const { buffers, internals } = this.#backend;
    for (const { dataId } of inputs) this.#backend.takeIn(dataId);
    this.#backend.submit(); // pending releases return to the manager that the buffers came from
    const recording = new Recording(buffers);
    this.current = recording;
    internals.bufferManager = recording.buffers;
    try {
      f();
      for (const { dataId } of inputs) this.#backend.takeIn(dataId);
      this.#backend.submit();
    } finally {
      internals.bufferManager = buffers;
      this.current = undefined;
    }
    const given = inputs.map(({ dataId }) => ({ dataId, buffer: this.#backend.bufferOf(dataId) }));
    const tape = recording.end(given);
    if (!tape) return undefined;
    return { replay: (others) => this.#replay(tape, others), dispose: tape.dispose };
  }

  #replay({ commands, inputs, outside, written }: Tape, given: readonly tf.TensorInfo[]): boolean {
    const backend = this.#backend;
    for (const [dataId, buffer] of outside) {
      if (!backend.isAlive(dataId) || backend.bufferOf(dataId) !== buffer) return false;
    }
    for (const { dataId } of given) backend.takeIn(dataId);
    this.#fill(inputs, given);
    for (let begin = 0; begin < commands.length; begin += PASSES_PER_SUBMISSION) {
      const encoder = backend.passEncoder();
      for (const { pipeline, group, groups } of commands.slice(begin, begin + PASSES_PER_SUBMISSION)) {
        encoder.setPipeline(pipeline);
        encoder.setBindGroup(0, group);
        encoder.dispatchWorkgroups(...groups);
      }
      backend.submit();
    }
    for (const dataId of written) backend.hasBeenWritten(dataId, written);
    return true;
  }

  /** Copies the given tensors to the buffers that the recorded call read. */
  #fill(inputs: Tape['inputs'], given: readonly tf.TensorInfo[]): void {
    const { internals } = this.#backend;
    const encoder = this.#backend.commands();
    for (const [i, { dataId }] of given.entries()) {
      const [from, to] = [this.#backend.bufferOf(dataId), inputs[i] ?? null];
      internals.commandQueueOwnedIds.add(dataId);
      if (to && from !== to) encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    }
  }
}
