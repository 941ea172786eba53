/** Fixed sine-cosine position tables, which are constants of the model and are not trained; tables for another grid. */
import { filterTaps } from '../common/resample.js';
import type { EncoderConfig } from '../spec/model.js';

/** angle(n, j) = n / 10000^(2·⌊j/2⌋/width); sine on even j, cosine on odd j. (PAPER.md §2) */
function interleaved(position: number, width: number, out: Float32Array, offset: number): void {
  for (let j = 0; j < width; j++) {
    const angle = position / 10000 ** ((2 * Math.floor(j / 2)) / width);
    out[offset + j] = j % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  }
}

/** MAE's order: the sines of width/2 frequencies, then their cosines. ω(j) = 10000^(−j/(width/2)). */
function sinesThenCosines(position: number, width: number, out: Float32Array, offset: number): void {
  const half = width / 2;
  for (let j = 0; j < half; j++) {
    const angle = position / 10000 ** (j / half);
    out[offset + j] = Math.sin(angle);
    out[offset + half + j] = Math.cos(angle);
  }
}

/**
 * The table of one width for a square grid of patches.
 *
 * `sincos-1d`, the paper's, numbers patches along the flattened grid. `sincos-2d` is MAE's: the first half of the width
 * encodes the column, the second half the row.
 *
 * @param rows Patches along one side.
 * @returns [rows², dim], row-major
 */
export function positionTable(kind: EncoderConfig['positions'], rows: number, dim: number): Float32Array {
  const table = new Float32Array(rows * rows * dim);
  for (let n = 0; n < rows * rows; n++) {
    switch (kind) {
      case 'sincos-1d':
        interleaved(n, dim, table, n * dim);
        break;
      case 'sincos-2d':
        sinesThenCosines(n % rows, dim / 2, table, n * dim);
        sinesThenCosines(Math.floor(n / rows), dim / 2, table, n * dim + dim / 2);
    }
  }
  return table;
}

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
