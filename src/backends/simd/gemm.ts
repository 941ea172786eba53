/** The matrix product that all tasks use, computed by the system's BLAS or by kernels.wasm. */
import type { Address } from './address.js';

/** C ← alpha·op(A)·op(B) + beta·C for row-major float32 matrices, as cblas_sgemm. */
export interface GemmArguments {
  /** op(A) is m×k, op(B) is k×n, C is m×n. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Address;
  readonly b: Address;
  readonly c: Address;
  /** Leading dimensions, in floats. */
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  /** Whether A is stored k×m; default false. */
  readonly transposeA?: boolean;
  /** Whether B is stored n×k; default false. */
  readonly transposeB?: boolean;
  /** Default 1. */
  readonly alpha?: number;
  /** Default 0: C is not read. */
  readonly beta?: number;
}

export type Gemm = (values: GemmArguments) => void;
