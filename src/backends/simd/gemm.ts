/** The matrix products that all tasks use, computed by the system's BLAS or by kernels.wasm. */
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
  /** Leading dimensions, in values. */
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

/**
 * The ways to multiply matrices of bfloat16. In both, A and B are bfloat16, and C and the sums are float32; the order of
 * the sums differs.
 *
 * - `widened`: widens blocks of the factors to float32, which is exact, and multiplies those.
 * - `library`: calls the BLAS, which uses the processor's instructions for bfloat16 if there are any.
 */
export const BFLOAT16_PRODUCTS = ['widened', 'library'] as const;
export type Bfloat16Product = (typeof BFLOAT16_PRODUCTS)[number];
