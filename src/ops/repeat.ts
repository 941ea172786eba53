/**
 * A function of tensors that is called repeatedly, for example a training step. A device may record the kernels of one
 * call and replay them in the next ones without the function: no graph is walked and no gradient is derived.
 */
import * as tf from '@tensorflow/tfjs';

/** The part of a backend that records. */
export interface Recorder {
  /** false while each kernel must run by itself, for example during a measurement. */
  mayRecord(): boolean;
  /**
   * Calls the function.
   *
   * @param inputs The tensors whose values change from call to call.
   * @returns undefined if the call cannot be replayed. For example, a tensor that it created still exists, and a replay
   *   could not create it in the same place.
   */
  record(inputs: readonly tf.TensorInfo[], f: () => void): Recorded | undefined;
}

/** A recorded call, to be replayed. It holds the device memory that the call used. */
export interface Recorded {
  /** @returns false, without any effect, if a tensor that the call used has moved to another buffer. */
  replay(inputs: readonly tf.TensorInfo[]): boolean;
  dispose(): void;
}

/** Calls before one is recorded: the first ones compile, upload and fill caches that later calls only read. */
const WARM_UP = 2;

/** After this many consecutive calls that could not be recorded, recording is not tried again. */
const MOST_REFUSALS = 3;

/**
 * Calls a function for its effects on tensors that outlive it, which it changes in place. Only the values of its inputs
 * may change from call to call; everything else that its kernels depend on must stay the same, because a replay does
 * not call the function.
 */
export class Repeated {
  #recorded: Recorded | undefined;
  #shapes = '';
  #calls = 0;
  #refusals = 0;

  /** @param inputs In the same order in every call. If their shapes or types change, the warm-up starts again. */
  run(inputs: readonly tf.Tensor[], f: () => void): void {
    const recorder = recorderOf();
    const shapes = inputs.map(({ shape, dtype }) => `${dtype} ${shape.join()}`).join('; ');
    if (!recorder || shapes !== this.#shapes) this.dispose();
    this.#shapes = shapes;
    if (this.#recorded?.replay(inputs)) return;
    if (this.#recorded) this.dispose();
    if (!recorder || this.#calls < WARM_UP || this.#refusals >= MOST_REFUSALS) {
      this.#calls += 1;
      f();
      return;
    }
    this.#recorded = recorder.record(inputs, f);
    this.#refusals = this.#recorded ? 0 : this.#refusals + 1;
  }

  /** Whether the next call with the same shapes is a replay. */
  get repeats(): boolean {
    return this.#recorded !== undefined;
  }

  /** Releases the recording. The next calls warm up again. */
  dispose(): void {
    this.#recorded?.dispose();
    this.#recorded = undefined;
    this.#calls = 0;
  }
}

function recorderOf(): Recorder | undefined {
  const backend = tf.backend() as unknown as Partial<Recorder>;
  return backend.mayRecord?.() ? (backend as Recorder) : undefined;
}
