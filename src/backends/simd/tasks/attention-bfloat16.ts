/**
 * The tasks of attention.ts with factors in bfloat16: q, k, v, the weights and the gradients of scores and output.
 * Scores, softmax and sums are float32. qkv, y and dqkv are stored as bfloat16, dy as float32.
 */
import { BFLOAT16, FLOAT, offset, offsetRounded, type Address } from '../address.js';
import { BFLOAT16_PRODUCTS } from '../gemm.js';
import { address, number, oneOf } from '../records.js';
import { defineTask } from './task.js';

/** Bytes, in whole cache lines. */
const lines = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Rows of scores begin at multiples of 16 bytes, in both types. */
const rowStride = (tokens: number): number => Math.ceil(tokens / 8) * 8;

/** The offsets of the parts of a thread's scratch, and its size, in bytes. */
function scratchParts(tokens: number, size: number) {
  const scores = lines(FLOAT * tokens * rowStride(tokens));
  const rounded = lines(BFLOAT16 * tokens * rowStride(tokens));
  const head = lines(FLOAT * tokens * size);
  const roundedHead = lines(BFLOAT16 * tokens * size);
  return {
    weights: 0,
    dScores: scores,
    rounded: 2 * scores,
    head: 2 * scores + rounded,
    dOut: 2 * scores + rounded + head,
    bytes: 2 * scores + rounded + head + roundedHead,
  };
}

/** Scratch of each thread, in bytes: two matrices of scores, rounded ones, and a head in both types. */
export const attentionBfloat16Scratch = (tokens: number, size: number): number => scratchParts(tokens, size).bytes;

/** softmax(q·kᵀ/√d)·v of image `chunk`. */
export const attentionBfloat16 = defineTask(
  {
    product: oneOf(BFLOAT16_PRODUCTS),
    qkv: address,
    y: address,
    scratch: address,
    tokens: number,
    dim: number,
    heads: number,
  },
  ({ kernels, bfloat16Gemm, index }, chunk, { product, qkv, y, scratch, tokens, dim, heads }) => {
    const d = dim / heads;
    const [t, line, stride] = [tokens, 3 * dim, rowStride(tokens)];
    const parts = scratchParts(t, d);
    const at = (part: number): Address => (scratch + index * parts.bytes + part) as Address;
    const [scores, rounded, out] = [at(parts.weights), at(parts.rounded), at(parts.head)];
    const gemm = bfloat16Gemm[product];
    const alpha = 1 / Math.sqrt(d);
    for (let head = 0; head < heads; head++) {
      const q = offsetRounded(qkv, chunk * t * line + head * d);
      const [k, v] = [offsetRounded(q, dim), offsetRounded(q, 2 * dim)];
      const to = offsetRounded(y, chunk * t * dim + head * d);
      gemm({ m: t, n: t, k: d, alpha, a: q, lda: line, b: k, ldb: line, transposeB: true, c: scores, ldc: stride });
      kernels.softmax({ x: scores, rows: t, columns: t, stride });
      kernels.roundRows({ x: scores, xStride: stride, out: rounded, outStride: stride, rows: t, columns: t });
      gemm({ m: t, n: d, k: t, a: rounded, lda: stride, b: v, ldb: line, c: out, ldc: d });
      kernels.roundRows({ x: out, xStride: d, out: to, outStride: dim, rows: t, columns: d });
    }
  },
);

/** dqkv of image `chunk`. */
export const attentionGradientBfloat16 = defineTask(
  {
    product: oneOf(BFLOAT16_PRODUCTS),
    dy: address,
    qkv: address,
    dqkv: address,
    scratch: address,
    tokens: number,
    dim: number,
    heads: number,
  },
  ({ kernels, bfloat16Gemm, index }, chunk, { product, dy, qkv, dqkv, scratch, tokens, dim, heads }) => {
    const d = dim / heads;
    const [t, line, stride] = [tokens, 3 * dim, rowStride(tokens)];
    const parts = scratchParts(t, d);
    const at = (part: number): Address => (scratch + index * parts.bytes + part) as Address;
    const [weights, dScores, rounded] = [at(parts.weights), at(parts.dScores), at(parts.rounded)];
    const [sums, dOut] = [at(parts.head), at(parts.dOut)];
    const gemm = bfloat16Gemm[product];
    const alpha = 1 / Math.sqrt(d);
    for (let head = 0; head < heads; head++) {
      const q = offsetRounded(qkv, chunk * t * line + head * d);
      const [k, v] = [offsetRounded(q, dim), offsetRounded(q, 2 * dim)];
      const dq = offsetRounded(dqkv, chunk * t * line + head * d);
      const [dk, dv] = [offsetRounded(dq, dim), offsetRounded(dq, 2 * dim)];
      const from = offset(dy, chunk * t * dim + head * d);
      kernels.roundRows({ x: from, xStride: dim, out: dOut, outStride: d, rows: t, columns: d });
      gemm({ m: t, n: t, k: d, alpha, a: q, lda: line, b: k, ldb: line, transposeB: true, c: weights, ldc: stride });
      kernels.softmax({ x: weights, rows: t, columns: t, stride });
      gemm({ m: t, n: t, k: d, a: dOut, lda: d, b: v, ldb: line, transposeB: true, c: dScores, ldc: stride });
      kernels.roundRows({ x: weights, xStride: stride, out: rounded, outStride: stride, rows: t, columns: t });
      gemm({ m: t, n: d, k: t, a: rounded, lda: stride, transposeA: true, b: dOut, ldb: d, c: sums, ldc: d });
      kernels.roundRows({ x: sums, xStride: d, out: dv, outStride: line, rows: t, columns: d });
      kernels.softmaxGradient({ p: weights, dy: dScores, rows: t, columns: t, stride });
      kernels.roundRows({ x: dScores, xStride: stride, out: rounded, outStride: stride, rows: t, columns: t });
      gemm({ m: t, n: d, k: t, alpha, a: rounded, lda: stride, b: k, ldb: line, c: sums, ldc: d });
      kernels.roundRows({ x: sums, xStride: d, out: dq, outStride: line, rows: t, columns: d });
      gemm({ m: t, n: d, k: t, alpha, a: rounded, lda: stride, transposeA: true, b: q, ldb: line, c: sums, ldc: d });
      kernels.roundRows({ x: sums, xStride: d, out: dk, outStride: line, rows: t, columns: d });
    }
  },
);
