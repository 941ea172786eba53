/** Tensors outside the tensor engine. */

/** float32 values, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type TensorsByName = ReadonlyMap<string, Tensor>;

/** A tensor of a file, read when it is needed: a model may be larger than the memory that is left. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Reads the values and converts them to float32. */
  read(): Float32Array;
}

export type StoredTensors = ReadonlyMap<string, StoredTensor>;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Values in memory in the form of those of a file. */
export const stored = (tensors: TensorsByName): StoredTensors =>
  new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, read: () => data }]));
