/** Room on a chart: labels that do not overlap, and no more points than are seen. */

/**
 * Moves the middles of labels as little as it must so that each two are `gap` apart, in the order of their values.
 *
 * @param within The range of the moved middles. If it has no room for all, the gap is smaller.
 */
export function separate(places: readonly number[], gap: number, [low, high]: readonly [number, number]): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a]! - places[b]!);
  const room = order.length > 1 ? Math.min(gap, (high - low) / (order.length - 1)) : gap;
  const moved = [...places];
  // Downwards from the top, then upwards from the bottom, each pushing what is too near.
  order.forEach((index, i) => {
    moved[index] = Math.max(moved[index]!, i === 0 ? low : moved[order[i - 1]!]! + room);
  });
  for (let i = order.length - 1; i >= 0; i--) {
    const limit = i === order.length - 1 ? high : moved[order[i + 1]!]! - room;
    moved[order[i]!] = Math.min(moved[order[i]!]!, limit);
  }
  return moved;
}

/** Every k-th of a list so that no more than `most` are left; the first and the last always are. */
export function thinned<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))]!);
}
