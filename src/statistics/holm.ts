/** Holm's correction for several tests. */

/**
 * Adjusted p values: rejecting those up to .05 makes one or more false rejections in at most 5 % of families, however
 * the tests depend on each other (Holm 1979).
 *
 * @returns in the order given; each at least its own p, at most 1.
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => ps[a]! - ps[b]!);
  const adjusted = new Array<number>(ps.length).fill(0);
  let largest = 0;
  order.forEach((index, place) => {
    largest = Math.max(largest, Math.min(1, (ps.length - place) * ps[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}
