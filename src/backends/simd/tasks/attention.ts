/**
 * Multi-head attention of one image a chunk. The scores of a head live in the thread's scratch and never leave its
 * cache; the backward pass computes them anew, which is cheaper than keeping them.
 *
 * qkv [batch, tokens, 3·dim] and y [batch, tokens, dim] have their heads side by side, so that a head is a matrix with
 * a leading dimension and needs no transposing.
 */
import type { Thread } from '../thread.js';
import { FLOAT } from './chunks.js';

/** Scratch of each thread, in bytes: two matrices of scores. */
export function attentionScratch(tokens: number): number {
  return 2 * FLOAT * tokens * rowStride(tokens);
}

/** Rows of scores begin at multiples of 16 bytes. */
const rowStride = (tokens: number): number => Math.ceil(tokens / 4) * 4;

/** softmax(q·kᵀ/√d)·v of image `chunk`. */
export function attention(
  { kernels, gemm, index }: Thread,
  chunk: number,
  qkv: number,
  y: number,
  scratch: number,
  tokens: number,
  dim: number,
  heads: number,
): void {
  const d = dim / heads;
  const stride = rowStride(tokens);
  const scores = scratch + index * attentionScratch(tokens);
  for (let head = 0; head < heads; head++) {
    const q = qkv + FLOAT * (chunk * tokens * 3 * dim + head * d);
    const k = q + FLOAT * dim;
    const v = k + FLOAT * dim;
    gemm(0, 1, tokens, tokens, d, 1 / Math.sqrt(d), q, 3 * dim, k, 3 * dim, 0, scores, stride);
    kernels.softmax(scores, tokens, tokens, stride);
    const out = y + FLOAT * (chunk * tokens * dim + head * d);
    gemm(0, 0, tokens, d, tokens, 1, scores, stride, v, 3 * dim, 0, out, dim);
  }
}

/** dqkv of image `chunk`. */
export function attentionGradient(
  { kernels, gemm, index }: Thread,
  chunk: number,
  dy: number,
  qkv: number,
  dqkv: number,
  scratch: number,
  tokens: number,
  dim: number,
  heads: number,
): void {
  const d = dim / heads;
  const scale = 1 / Math.sqrt(d);
  const stride = rowStride(tokens);
  const weights = scratch + index * attentionScratch(tokens);
  const dScores = weights + FLOAT * tokens * stride;
  for (let head = 0; head < heads; head++) {
    const at = FLOAT * (chunk * tokens * 3 * dim + head * d);
    const [q, k, v] = [qkv + at, qkv + at + FLOAT * dim, qkv + at + FLOAT * 2 * dim];
    const [dq, dk, dv] = [dqkv + at, dqkv + at + FLOAT * dim, dqkv + at + FLOAT * 2 * dim];
    const dOut = dy + FLOAT * (chunk * tokens * dim + head * d);
    gemm(0, 1, tokens, tokens, d, scale, q, 3 * dim, k, 3 * dim, 0, weights, stride);
    kernels.softmax(weights, tokens, tokens, stride);
    gemm(0, 1, tokens, tokens, d, 1, dOut, dim, v, 3 * dim, 0, dScores, stride);
    gemm(1, 0, tokens, d, tokens, 1, weights, stride, dOut, dim, 0, dv, 3 * dim);
    kernels.softmaxGradient(weights, dScores, tokens, tokens, stride);
    gemm(0, 0, tokens, d, tokens, scale, dScores, stride, k, 3 * dim, 0, dq, 3 * dim);
    gemm(1, 0, tokens, d, tokens, scale, dScores, stride, q, 3 * dim, 0, dk, 3 * dim);
  }
}
