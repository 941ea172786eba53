/** Separable resampling, R·X·Cᵀ for each channel, one image a chunk. */
import { FLOAT, offset } from '../address.js';
import { address, flag, number } from '../records.js';
import { defineTask } from './task.js';

interface ResampleSizes {
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly channels: number;
}

/** Floats of the image between the two products. */
const betweenFloats = ({ height, width, outHeight, outWidth, channels }: ResampleSizes): number =>
  Math.max(height * outWidth, outHeight * width) * channels;

/**
 * Scratch of each thread, in bytes: the image between the two products, and the column matrix spread over interleaved
 * channels, with which the second product is one of ordinary matrices too.
 */
export const resampleScratch = (sizes: ResampleSizes): number =>
  FLOAT * (betweenFloats(sizes) + sizes.width * sizes.channels * sizes.outWidth * sizes.channels);

/**
 * x [batch, height, width, channels] → out [batch, outHeight, outWidth, channels]. With `backward`, the gradient: x has
 * the second shape and out the first. `rowsBatch` and `columnsBatch` are the floats from one image's matrix to the next,
 * 0 where one matrix serves all.
 */
export const resample = defineTask(
  {
    x: address,
    rows: address,
    columns: address,
    out: address,
    scratch: address,
    height: number,
    width: number,
    outHeight: number,
    outWidth: number,
    channels: number,
    rowsBatch: number,
    columnsBatch: number,
    backward: flag,
  },
  (
    { kernels, gemm, index },
    chunk,
    { x, rows, columns, out, scratch, rowsBatch, columnsBatch, backward, ...sizes },
  ) => {
    const { height, width, outHeight, outWidth, channels } = sizes;
    const between = offset(scratch, (index * resampleScratch(sizes)) / FLOAT);
    const spread = offset(between, betweenFloats(sizes));
    const [line, outLine] = [width * channels, outWidth * channels];
    const r = { a: offset(rows, chunk * rowsBatch), lda: height };
    const c = { b: spread, ldb: outLine };
    const matrix = offset(columns, chunk * columnsBatch);
    kernels.expandChannels({ matrix, out: spread, output: outWidth, input: width, channels });
    if (backward) {
      const dy = { b: offset(x, chunk * outHeight * outLine), ldb: outLine };
      gemm({ m: height, n: outLine, k: outHeight, transposeA: true, ...r, ...dy, c: between, ldc: outLine });
      const dx = { c: offset(out, chunk * height * line), ldc: line };
      gemm({ m: height, n: line, k: outLine, transposeB: true, a: between, lda: outLine, ...c, ...dx });
    } else {
      const image = { b: offset(x, chunk * height * line), ldb: line };
      gemm({ m: outHeight, n: line, k: height, ...r, ...image, c: between, ldc: line });
      const y = { c: offset(out, chunk * outHeight * outLine), ldc: outLine };
      gemm({ m: outHeight, n: outLine, k: line, a: between, lda: line, ...c, ...y });
    }
  },
);
