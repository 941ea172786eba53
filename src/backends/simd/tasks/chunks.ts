/** How work is cut. The cuts depend on sizes alone, never on the number of threads, and so neither do results. */

/** Bytes of a float32. */
export const FLOAT = 4;

/** Floats of a chunk's output that stay in a core's second-level cache (512 KiB here and up) with room to spare. */
export const CHUNK = 49_152;

/** Rows of each chunk where each row gives `width` floats. */
export function rowsOfChunk(rows: number, width: number): number {
  const chunks = Math.ceil(rows / Math.max(1, Math.floor(CHUNK / width)));
  return Math.ceil(rows / chunks);
}

/** With fewer rows a product is slower, since the other matrix is packed anew for each chunk: 64 rows cost a tenth. */
const PRODUCT_ROWS = 256;

/** Rows of each chunk of a matrix product. An even number of chunks, if several: cores mostly come in twos. */
export function rowsOfProduct(rows: number): number {
  return Math.ceil(rows / even(Math.ceil(rows / PRODUCT_ROWS)));
}

/** Sides of the blocks of a weight gradient: each block packs all rows of a batch, so these are larger than a tile. */
const BLOCK_SIDE = 192;
/** A side is not halved below this for the sake of an even number. */
const LEAST_SIDE = 48;

/** Rows and columns of each block of a matrix that is a sum over many rows, such as a weight's gradient. */
export function blockOfProduct(rows: number, columns: number): { rows: number; columns: number } {
  const parts = (side: number): number => Math.max(1, Math.floor(side / BLOCK_SIDE));
  const across = parts(rows);
  const along = across % 2 === 0 || columns < 2 * LEAST_SIDE ? parts(columns) : Math.max(2, even(parts(columns)));
  return { rows: Math.ceil(rows / across), columns: Math.ceil(columns / along) };
}

const even = (chunks: number): number => (chunks > 1 ? chunks + (chunks % 2) : 1);

/** Where to cut a dense output: along its first axis of more than one, `size` of that axis a chunk. */
export function cut(sizes: readonly number[]): { axis: number; size: number; chunks: number } {
  const axis = Math.max(
    0,
    sizes.findIndex((length) => length > 1),
  );
  const inner = sizes.slice(axis + 1).reduce((a, b) => a * b, 1);
  const size = Math.max(1, Math.floor(CHUNK / inner));
  return { axis, size, chunks: Math.ceil(sizes[axis]! / size) };
}

/** What a chunk covers of `total`, in steps of `size`. */
export function span(chunk: number, size: number, total: number): { first: number; count: number } {
  const first = chunk * size;
  return { first, count: Math.min(size, total - first) };
}
