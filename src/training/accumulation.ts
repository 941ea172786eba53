/** Splitting a batch for gradient accumulation. */

/**
 * Cuts a batch into equally large parts. A batch that the number of parts does not divide, which is only ever the one
 * batch of a split smaller than the batch size, stays whole.
 */
export function splitInParts(batch: Int32Array, parts: number): Int32Array[] {
  if (batch.length % parts !== 0) return [batch];
  const size = batch.length / parts;
  return Array.from({ length: parts }, (_, i) => batch.subarray(i * size, (i + 1) * size));
}
