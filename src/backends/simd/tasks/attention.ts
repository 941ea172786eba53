/**
 * Multi-head attention, one image a chunk. With few tokens, the weights are kept for the backward pass. Otherwise they
 * would take much memory: those of a head are in the thread's scratch, and the backward pass computes them again.
 *
 * The heads of qkv [batch, tokens, 3·dim] and of y [batch, tokens, dim] lie side by side, so a head is a matrix with a
 * leading dimension and needs no transposing.
 */
import { FLOAT, NONE, offset } from '../address.js';
import { address, number } from '../records.js';
import { defineTask } from './task.js';

/** Scratch of each thread, in floats: two matrices of scores. */
const scratchFloats = (tokens: number): number => 2 * tokens * rowStride(tokens);

/** Scratch of each thread, in bytes. */
export const attentionScratch = (tokens: number): number => FLOAT * scratchFloats(tokens);

/** Floats of an image's weights. */
export const weightsFloats = (tokens: number, heads: number): number => heads * tokens * rowStride(tokens);

/** Rows of scores begin at multiples of 16 bytes. */
const rowStride = (tokens: number): number => Math.ceil(tokens / 4) * 4;

/** softmax(q·kᵀ/√d)·v of image `chunk`. `weights` [batch, heads, tokens, row] receives the softmax, unless it is NONE. */
export const attention = defineTask(
  { qkv: address, y: address, weights: address, scratch: address, tokens: number, dim: number, heads: number },
  ({ kernels, gemm, index }, chunk, { qkv, y, weights, scratch, tokens, dim, heads }) => {
    const d = dim / heads;
    const stride = rowStride(tokens);
    const alpha = 1 / Math.sqrt(d);
    const [t, line] = [tokens, 3 * dim];
    for (let head = 0; head < heads; head++) {
      const q = offset(qkv, chunk * t * line + head * d);
      const [k, v] = [offset(q, dim), offset(q, 2 * dim)];
      const c = offset(y, chunk * t * dim + head * d);
      const scores =
        weights === NONE
          ? offset(scratch, index * scratchFloats(tokens))
          : offset(weights, (chunk * heads + head) * t * stride);
      gemm({ m: t, n: t, k: d, alpha, a: q, lda: line, b: k, ldb: line, transposeB: true, c: scores, ldc: stride });
      kernels.softmax({ x: scores, rows: t, columns: t, stride });
      gemm({ m: t, n: d, k: t, a: scores, lda: stride, b: v, ldb: line, c, ldc: dim });
    }
  },
);

/** dqkv of image `chunk`. `kept` are the weights of the forward pass, or NONE. */
export const attentionGradient = defineTask(
  {
    dy: address,
    qkv: address,
    kept: address,
    dqkv: address,
    scratch: address,
    tokens: number,
    dim: number,
    heads: number,
  },
  ({ kernels, gemm, index }, chunk, { dy, qkv, kept, dqkv, scratch, tokens, dim, heads }) => {
    const d = dim / heads;
    const alpha = 1 / Math.sqrt(d);
    const stride = rowStride(tokens);
    const [t, line] = [tokens, 3 * dim];
    const own = offset(scratch, index * scratchFloats(t));
    const dScores = offset(own, t * stride);
    for (let head = 0; head < heads; head++) {
      const q = offset(qkv, chunk * t * line + head * d);
      const [k, v] = [offset(q, dim), offset(q, 2 * dim)];
      const dq = offset(dqkv, chunk * t * line + head * d);
      const [dk, dv] = [offset(dq, dim), offset(dq, 2 * dim)];
      const dOut = offset(dy, chunk * t * dim + head * d);
      const weights = kept === NONE ? own : offset(kept, (chunk * heads + head) * t * stride);
      if (kept === NONE) {
        gemm({ m: t, n: t, k: d, alpha, a: q, lda: line, b: k, ldb: line, transposeB: true, c: weights, ldc: stride });
        kernels.softmax({ x: weights, rows: t, columns: t, stride });
      }
      gemm({ m: t, n: t, k: d, a: dOut, lda: dim, b: v, ldb: line, transposeB: true, c: dScores, ldc: stride });
      gemm({ m: t, n: d, k: t, a: weights, lda: stride, transposeA: true, b: dOut, ldb: dim, c: dv, ldc: line });
      kernels.softmaxGradient({ p: weights, dy: dScores, rows: t, columns: t, stride });
      gemm({ m: t, n: d, k: t, alpha, a: dScores, lda: stride, b: k, ldb: line, c: dq, ldc: line });
      gemm({ m: t, n: d, k: t, alpha, a: dScores, lda: stride, transposeA: true, b: q, ldb: line, c: dk, ldc: line });
    }
  },
);
