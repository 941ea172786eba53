/** Facts about tensors besides their values, valid until the values change. */
import type * as tf from '@tensorflow/tfjs';

/** A tensor's values as float16. With a scale [factor, 1 / factor], they are multiplied by its factor. */
export interface Rounded {
  readonly half: tf.TensorInfo;
  readonly scale?: tf.TensorInfo;
}

export class Notes {
  readonly #largest = new Map<object, tf.TensorInfo>();
  readonly #rounded = new Map<object, Rounded>();
  readonly #release: (...tensors: readonly tf.TensorInfo[]) => void;

  /** @param release Disposes of tensors that were noted. */
  constructor(release: (...tensors: readonly tf.TensorInfo[]) => void) {
    this.#release = release;
  }

  /** Notes the largest absolute values of the parts of a tensor. */
  noteLargest({ dataId }: tf.TensorInfo, parts: tf.TensorInfo): void {
    this.#largest.set(dataId, parts);
  }

  largestOf({ dataId }: tf.TensorInfo): tf.TensorInfo | undefined {
    return this.#largest.get(dataId);
  }

  /** Notes a tensor's values in float16. Some tensors have only these until a kernel needs float32. */
  noteRounded({ dataId }: tf.TensorInfo, rounded: Rounded): void {
    this.#rounded.set(dataId, rounded);
  }

  roundedOf({ dataId }: Pick<tf.TensorInfo, 'dataId'>): Rounded | undefined {
    return this.#rounded.get(dataId);
  }

  /** Discards the notes of a tensor that was written, except notes whose tensors were written in the same pass. */
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
