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
 * Scratch of each thread, in bytes: the image between the two products, and the column matrix expanded to interleaved
 * channels. With the expanded matrix, the second product is an ordinary matrix product too.
 */
export const resampleScratch = (sizes: ResampleSizes): number =>
  FLOAT * (betweenFloats(sizes) + sizes.width * sizes.channels * sizes.outWidth * sizes.channels);

/**
 * x [batch, height, width, channels] → out [batch, outHeight, outWidth, channels]. With `backward`, the gradient: x has
 * the second shape and out the first. `rowsBatch` and `columnsBatch` are the floats from one image's matrix to the
 * next, 0 if one matrix serves all.
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
  ({ kernels, gemm, index }, chunk, values) => {
    const { x, rows, columns, out, scratch, height, width, outHeight, outWidth, channels } = values;
    const between = offset(scratch, (index * resampleScratch(values)) / FLOAT);
    const spread = offset(between, betweenFloats(values));
    const [line, outLine] = [width * channels, outWidth * channels];
    const r = offset(rows, chunk * values.rowsBatch);
    const matrix = offset(columns, chunk * values.columnsBatch);
    kernels.expandChannels({ matrix, out: spread, output: outWidth, input: width, channels });
    if (values.backward) {
      const [dy, dx] = [offset(x, chunk * outHeight * outLine), offset(out, chunk * height * line)];
      const w = outLine;
      gemm({ m: height, n: w, k: outHeight, a: r, lda: height, transposeA: true, b: dy, ldb: w, c: between, ldc: w });
      gemm({ m: height, n: line, k: w, a: between, lda: w, b: spread, ldb: w, transposeB: true, c: dx, ldc: line });
    } else {
      const [image, y] = [offset(x, chunk * height * line), offset(out, chunk * outHeight * outLine)];
      gemm({ m: outHeight, n: line, k: height, a: r, lda: height, b: image, ldb: line, c: between, ldc: line });
      gemm({ m: outHeight, n: outLine, k: line, a: between, lda: line, b: spread, ldb: outLine, c: y, ldc: outLine });
    }
  },
);
