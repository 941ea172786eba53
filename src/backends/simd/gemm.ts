/** The matrix product that all tasks use, whoever computes it. */

/**
 * C ← alpha·op(A)·op(B) + beta·C for row-major float32 matrices, as cblas_sgemm: op(A) is m×k, op(B) is k×n; a
 * transposed A is stored k×m. Pointers are addresses in the shared memory; leading dimensions count floats. With
 * beta = 0, C is not read.
 */
export type Gemm = (
  transposeA: 0 | 1,
  transposeB: 0 | 1,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void;
