/**
 * How work is split. The splits depend only on sizes and never on the number of threads; the same is true of the
 * results.
 */

/** Floats of a chunk's output: few enough to stay in a core's second-level cache (512 KiB or more). */
export const CHUNK = 49_152;

/** Rows of each chunk if each row has `width` floats. */
export function rowsOfChunk(rows: number, width: number): number {
  const chunks = Math.ceil(rows / Math.max(1, Math.floor(CHUNK / width)));
  return Math.ceil(rows / chunks);
}

/** With fewer rows a product is slower, since each chunk packs the other matrix again: 64 rows cost a tenth. */
const PRODUCT_ROWS = 256;

/**
 * Rows of each chunk of a matrix product. If there are several chunks, their number is even, like most machines' core
 * counts.
 */
export function rowsOfProduct(rows: number): number {
  return Math.ceil(rows / even(Math.ceil(rows / PRODUCT_ROWS)));
}

/**
 * Sides of the blocks of a weight gradient. They are larger than a tile, since each block packs all rows of a batch.
 */
const BLOCK_SIDE = 192;
/** No side is split below this to get an even number of blocks. */
const LEAST_SIDE = 48;

/** Rows and columns of each block of a matrix that is a sum over many rows, such as a weight's gradient. */
export function blockOfProduct(rows: number, columns: number): { rows: number; columns: number } {
  const parts = (side: number): number => Math.max(1, Math.floor(side / BLOCK_SIDE));
  const across = parts(rows);
  const along = across % 2 === 0 || columns < 2 * LEAST_SIDE ? parts(columns) : Math.max(2, even(parts(columns)));
  return { rows: Math.ceil(rows / across), columns: Math.ceil(columns / along) };
}

const even = (chunks: number): number => (chunks > 1 ? chunks + (chunks % 2) : 1);

/** The split of a dense output: along its first axis of more than one position, in chunks of `size` positions. */
export function cut(sizes: readonly number[]): { axis: number; size: number; chunks: number } {
  const axis = Math.max(
    0,
    sizes.findIndex((length) => length > 1),
  );
  const inner = sizes.slice(axis + 1).reduce((a, b) => a * b, 1);
  const size = Math.max(1, Math.floor(CHUNK / inner));
  return { axis, size, chunks: Math.ceil(sizes[axis]! / size) };
}

/** The part of `total` that a chunk of `size` covers. */
export function span(chunk: number, size: number, total: number): { first: number; count: number } {
  const first = chunk * size;
  return { first, count: Math.min(size, total - first) };
}
