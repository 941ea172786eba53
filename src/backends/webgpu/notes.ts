/** What is known of tensors beside their values, for as long as these are what they were. */
import type * as tf from '@tensorflow/tfjs';

/** A tensor's values as float16, times scale[0] where there is one, [factor, 1 / factor]. */
export interface Rounded {
  readonly half: tf.TensorInfo;
  readonly scale?: tf.TensorInfo;
}

export class Notes {
  readonly #largest = new Map<object, tf.TensorInfo>();
  readonly #rounded = new Map<object, Rounded>();
  readonly #release: (...tensors: readonly tf.TensorInfo[]) => void;

  /** @param release Gives back tensors that were noted. */
  constructor(release: (...tensors: readonly tf.TensorInfo[]) => void) {
    this.#release = release;
  }

  /** Keeps the largest absolute values of the parts of a tensor. */
  noteLargest({ dataId }: tf.TensorInfo, parts: tf.TensorInfo): void {
    this.#largest.set(dataId, parts);
  }

  largestOf({ dataId }: tf.TensorInfo): tf.TensorInfo | undefined {
    return this.#largest.get(dataId);
  }

  /** Keeps what a tensor is in float16. Of some tensors no other values exist until somebody asks for them. */
  noteRounded({ dataId }: tf.TensorInfo, rounded: Rounded): void {
    this.#rounded.set(dataId, rounded);
  }

  roundedOf({ dataId }: Pick<tf.TensorInfo, 'dataId'>): Rounded | undefined {
    return this.#rounded.get(dataId);
  }

  /** Of a tensor that has been written along with others: what is noted is out of date, unless it is among these. */
  hasBeenWritten(dataId: object, written: ReadonlySet<object>): void {
    this.#forgetLargest(dataId);
    const rounded = this.#rounded.get(dataId);
    if (rounded && !written.has(rounded.half.dataId)) this.#forgetRounded(dataId);
  }

  forget(dataId: object): void {
    this.#forgetLargest(dataId);
    this.#forgetRounded(dataId);
  }

  #forgetLargest(dataId: object): void {
    const parts = this.#largest.get(dataId);
    if (!parts) return;
    this.#largest.delete(dataId);
    this.#release(parts);
  }

  #forgetRounded(dataId: object): void {
    const rounded = this.#rounded.get(dataId);
    if (!rounded) return;
    this.#rounded.delete(dataId);
    this.#release(rounded.half, ...(rounded.scale ? [rounded.scale] : []));
  }
}
