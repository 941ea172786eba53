/** Position tables for another grid of patches. */
import { filterTaps } from '../common/resample.js';

/**
 * Resamples a table of a square grid: bicubic and antialiased, as timm's `resample_abs_pos_embed` and PyTorch's
 * `interpolate` with `antialias=True`.
 *
 * @param table [rows², dim], row-major
 * @returns [newRows², dim]
 */
export function resamplePositions(table: Float32Array, rows: number, newRows: number, dim: number): Float32Array {
  if (rows === newRows) return table;
  const { width, first, weights } = filterTaps('bicubic', rows, newRows);
  /** Resamples the middle one of three axes. */
  const along = (source: Float32Array, outer: number, inner: number): Float32Array => {
    const out = new Float32Array(outer * newRows * inner);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < newRows; k++) {
        for (let t = 0; t < width; t++) {
          const weight = weights[k * width + t]!;
          const from = (o * rows + first[k]! + t) * inner;
          const to = (o * newRows + k) * inner;
          for (let i = 0; i < inner; i++) out[to + i]! += weight * source[from + i]!;
        }
      }
    }
    return out;
  };
  return along(along(table, rows, dim), 1, newRows * dim);
}
