/** Products of bfloat16 matrices by a float32 product: blocks of the factors are widened first, which is exact. */
import { BFLOAT16, FLOAT, offset, type Address } from './address.js';
import type { Kernels } from './exports.js';
import type { Gemm } from './gemm.js';

/** Sides of the blocks. Both widened blocks, 1 MiB together, stay in the second-level cache or near it. */
const ROWS = 256;
const COLUMNS = 768;
const DEPTH = 256;

/** Bytes of scratch for each thread. */
export const WIDENED_SCRATCH = FLOAT * DEPTH * (ROWS + COLUMNS);

/**
 * @param gemm The float32 product.
 * @param scratch {@link WIDENED_SCRATCH} bytes that no other thread uses.
 * @returns The product for factors in bfloat16. Its blocks depend only on sizes.
 */
export function widenedGemm(gemm: Gemm, { widenRows }: Pick<Kernels, 'widenRows'>, scratch: Address): Gemm {
  const [left, right] = [scratch, offset(scratch, DEPTH * ROWS)];
  /** The block of a matrix that begins at a row and column, dense. */
  const widen = (
    x: Address,
    stride: number,
    row: number,
    column: number,
    rows: number,
    columns: number,
    out: Address,
  ) => {
    const from = (x + BFLOAT16 * (row * stride + column)) as Address;
    widenRows({ x: from, xStride: stride, out, outStride: columns, rows, columns });
  };
  return ({ m, n, k, a, b, c, lda, ldb, ldc, transposeA = false, transposeB = false, alpha = 1, beta = 0 }) => {
    for (let j = 0; j < n; j += COLUMNS) {
      const columns = Math.min(COLUMNS, n - j);
      for (let p = 0; p < k; p += DEPTH) {
        const depth = Math.min(DEPTH, k - p);
        if (transposeB) widen(b, ldb, j, p, columns, depth, right);
        else widen(b, ldb, p, j, depth, columns, right);
        for (let i = 0; i < m; i += ROWS) {
          const rows = Math.min(ROWS, m - i);
          if (transposeA) widen(a, lda, p, i, depth, rows, left);
          else widen(a, lda, i, p, rows, depth, left);
          gemm({
            m: rows,
            n: columns,
            k: depth,
            transposeA,
            transposeB,
            alpha,
            beta: p === 0 ? beta : 1,
            a: left,
            lda: transposeA ? rows : depth,
            b: right,
            ldb: transposeB ? depth : columns,
            c: offset(c, i * ldc + j),
            ldc,
          });
        }
      }
    }
  };
}
