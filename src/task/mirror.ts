/** Mirroring along one axis, which the canvas of zoomed-out and its masked loss share. */

/**
 * The content pixel at signed position `i` (0 is the first content pixel) if `size` pixels are mirrored with their
 * edges repeated, as often as necessary: … 1 0 | 0 1 … n−1 | n−1 n−2 …
 */
export function mirrorIndex(i: number, size: number): number {
  const period = 2 * size;
  const phase = ((i % period) + period) % period;
  return phase < size ? phase : period - 1 - phase;
}
