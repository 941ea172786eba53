/** Fixed sine-cosine position tables. They are constants of the model and are not trained. */
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
