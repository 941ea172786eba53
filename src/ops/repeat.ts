/**
 * A function of tensors that is called again and again, as a training step is. A device may record what it is asked for
 * in one call, and do it again in the next ones without the function: no graph is walked and no gradient is derived.
 */
import * as tf from '@tensorflow/tfjs';

/** What a backend brings that can record. */
export interface Recorder {
  /** false while each kernel must run by itself, as in a measurement. */
  mayRecord(): boolean;
  /**
   * Calls the function.
   *
   * @param inputs The tensors whose values are others in the next call.
   * @returns undefined where the call has left something behind that it had made, which cannot be made again in its place.
   */
  record(inputs: readonly tf.TensorInfo[], f: () => void): Recorded | undefined;
}

/** One call, to be repeated. It holds the device memory that the call took. */
export interface Recorded {
  /** @returns false, with nothing done, where a tensor that the call took is no longer where it was. */
  replay(inputs: readonly tf.TensorInfo[]): boolean;
  dispose(): void;
}

/** Calls before one is recorded: the first compile, upload and cache what all others find done. */
const WARM_UP = 2;

/** Calls that could not be recorded, in a row, after which no other is tried. */
const MOST_REFUSALS = 3;

/**
 * Calls a function for its effects on tensors that outlive it, which it changes in place. Beside the values of its inputs
 * nothing may change from call to call that its kernels depend on: it is not always called.
 */
export class Repeated {
  #recorded: Recorded | undefined;
  #shapes = '';
  #calls = 0;
  #refusals = 0;

  /** @param inputs In the same order in every call. Shapes other than those of the call before begin anew. */
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

  /** Whether the next call of the same shapes repeats one. */
  get repeats(): boolean {
    return this.#recorded !== undefined;
  }

  /** Gives back what is recorded. The next calls are as the first. */
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
