/**
 * Memory for the pixels of images that are computed one after another. V8 marks its whole heap for every 64 MB of new
 * arrays. With a new array for every step of every image, that took 12 to 32 % of the processor time of small models.
 */

/** More sizes than a stage's images have. */
const MOST_SIZES = 16;

const free = new Map<number, Float32Array[]>();
/** Those of the computation that runs; undefined: none does. */
let lent: Float32Array[] | undefined;

/** An array for all pixels of an image. Its values are arbitrary within {@link inWorkingMemory}, and 0 otherwise. */
export function newPixels(length: number): Float32Array {
  if (lent === undefined) return new Float32Array(length);
  const array = free.get(length)?.pop() ?? new Float32Array(length);
  lent.push(array);
  return array;
}

/**
 * Computes with arrays of {@link newPixels} that are used again afterwards.
 *
 * @param compute Is synchronous, and its result refers to none of these arrays.
 */
export function inWorkingMemory<T>(compute: () => T): T {
  if (lent !== undefined) return compute();
  lent = [];
  try {
    return compute();
  } finally {
    if (free.size > MOST_SIZES) free.clear();
    for (const array of lent) {
      const same = free.get(array.length);
      if (same) same.push(array);
      else free.set(array.length, [array]);
    }
    lent = undefined;
  }
}
