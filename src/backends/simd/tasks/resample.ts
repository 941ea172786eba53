/** Separable resampling, R·X·Cᵀ for each channel of one image a chunk. */
import type { Thread } from '../thread.js';
import { FLOAT } from './chunks.js';

/**
 * Scratch of each thread, in bytes: the image between the two products, and the column matrix spread over interleaved
 * channels so that the second product is one of ordinary matrices too.
 */
export function resampleScratch(
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
  channels: number,
): number {
  const between = Math.max(height * outWidth, outHeight * width) * channels;
  return FLOAT * (between + width * channels * outWidth * channels);
}

/**
 * x [batch, height, width, channels] → out [batch, outHeight, outWidth, channels]; with `backward`, the gradient the other
 * way. `rowsBatch` and `columnsBatch` are the floats from one image's matrix to the next, 0 where one serves all.
 */
export function resample(
  { kernels, gemm, index }: Thread,
  chunk: number,
  x: number,
  rows: number,
  columns: number,
  out: number,
  scratch: number,
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
  channels: number,
  rowsBatch: number,
  columnsBatch: number,
  backward: number,
): void {
  const between = scratch + index * resampleScratch(height, width, outHeight, outWidth, channels);
  const spread = between + FLOAT * Math.max(height * outWidth, outHeight * width) * channels;
  const [line, outLine] = [width * channels, outWidth * channels];
  const r = rows + FLOAT * chunk * rowsBatch;
  kernels.expandChannels(columns + FLOAT * chunk * columnsBatch, spread, outWidth, width, channels);
  if (backward) {
    const dy = x + FLOAT * chunk * outHeight * outLine;
    gemm(1, 0, height, outLine, outHeight, 1, r, height, dy, outLine, 0, between, outLine);
    const to = out + FLOAT * chunk * height * line;
    gemm(0, 1, height, line, outLine, 1, between, outLine, spread, outLine, 0, to, line);
  } else {
    const from = x + FLOAT * chunk * height * line;
    gemm(0, 0, outHeight, line, height, 1, r, height, from, line, 0, between, line);
    const to = out + FLOAT * chunk * outHeight * outLine;
    gemm(0, 0, outHeight, outLine, line, 1, between, line, spread, outLine, 0, to, outLine);
  }
}
