/**
 * Multi-head attention, one image a chunk. The scores of a head are in the thread's scratch and never leave its cache;
 * the backward pass computes them again, which costs less than keeping them.
 *
 * The heads of qkv [batch, tokens, 3·dim] and of y [batch, tokens, dim] lie side by side, so a head is a matrix with a
 * leading dimension and needs no transposing.
 */
import { FLOAT, offset } from '../address.js';
import { address, number } from '../records.js';
import { defineTask } from './task.js';

/** Scratch of each thread, in floats: two matrices of scores. */
const scratchFloats = (tokens: number): number => 2 * tokens * rowStride(tokens);

/** Scratch of each thread, in bytes. */
export const attentionScratch = (tokens: number): number => FLOAT * scratchFloats(tokens);

/** Rows of scores begin at multiples of 16 bytes. */
const rowStride = (tokens: number): number => Math.ceil(tokens / 4) * 4;

/** softmax(q·kᵀ/√d)·v of image `chunk`. */
export const attention = defineTask(
  { qkv: address, y: address, scratch: address, tokens: number, dim: number, heads: number },
  ({ kernels, gemm, index }, chunk, { qkv, y, scratch, tokens, dim, heads }) => {
    const d = dim / heads;
    const stride = rowStride(tokens);
    const scores = offset(scratch, index * scratchFloats(tokens));
    for (let head = 0; head < heads; head++) {
      const q = offset(qkv, chunk * tokens * 3 * dim + head * d);
      const k = offset(q, dim);
      const v = offset(k, dim);
      const c = offset(y, chunk * tokens * dim + head * d);
      const ofScores = { m: tokens, n: tokens, k: d, alpha: 1 / Math.sqrt(d), transposeB: true } as const;
      gemm({ ...ofScores, a: q, lda: 3 * dim, b: k, ldb: 3 * dim, c: scores, ldc: stride });
      kernels.softmax({ x: scores, rows: tokens, columns: tokens, stride });
      gemm({ m: tokens, n: d, k: tokens, a: scores, lda: stride, b: v, ldb: 3 * dim, c, ldc: dim });
    }
  },
);

/** dqkv of image `chunk`. */
export const attentionGradient = defineTask(
  { dy: address, qkv: address, dqkv: address, scratch: address, tokens: number, dim: number, heads: number },
  ({ kernels, gemm, index }, chunk, { dy, qkv, dqkv, scratch, tokens, dim, heads }) => {
    const d = dim / heads;
    const alpha = 1 / Math.sqrt(d);
    const stride = rowStride(tokens);
    const line = 3 * dim;
    const weights = offset(scratch, index * scratchFloats(tokens));
    const dScores = offset(weights, tokens * stride);
    const ofScores = { m: tokens, n: tokens, k: d, transposeB: true, ldc: stride } as const;
    const ofTokens = { m: tokens, n: d, k: tokens, lda: stride, ldc: line } as const;
    for (let head = 0; head < heads; head++) {
      const q = offset(qkv, chunk * tokens * line + head * d);
      const [k, v] = [offset(q, dim), offset(q, 2 * dim)];
      const dq = offset(dqkv, chunk * tokens * line + head * d);
      const [dk, dv] = [offset(dq, dim), offset(dq, 2 * dim)];
      const dOut = offset(dy, chunk * tokens * dim + head * d);
      gemm({ ...ofScores, alpha, a: q, lda: line, b: k, ldb: line, c: weights });
      kernels.softmax({ x: weights, rows: tokens, columns: tokens, stride });
      gemm({ ...ofScores, a: dOut, lda: dim, b: v, ldb: line, c: dScores });
      gemm({ ...ofTokens, transposeA: true, a: weights, b: dOut, ldb: dim, c: dv });
      kernels.softmaxGradient({ p: weights, dy: dScores, rows: tokens, columns: tokens, stride });
      gemm({ ...ofTokens, alpha, a: dScores, b: k, ldb: line, c: dq });
      gemm({ ...ofTokens, alpha, transposeA: true, a: dScores, b: q, ldb: line, c: dk });
    }
  },
);
