/** From numbers to places on a page: linear scales, round ticks, rows of equal height, labels that do not overlap. */

/** Both ends; the first may be the larger, as for heights that grow downwards. */
export type Interval = readonly [number, number];

/** @returns where a value of the domain lies in the range; the middle of it where the domain is one point. */
export function linearScale([from, to]: Interval, [start, end]: Interval): (value: number) => number {
  if (from === to) return () => (start + end) / 2;
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/** The values' extent, widened by a fraction of itself on both sides; one value alone is widened by one. */
export function paddedDomain(values: readonly number[], padding: number): Interval {
  if (values.length === 0) return [0, 1];
  // Not Math.min(...values): there may be more of them than a call takes arguments.
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const margin = low === high ? 1 : (high - low) * padding;
  return [low - margin, high + margin];
}

export interface Ticks {
  values: number[];
  /** Digits after the point that tell them apart. */
  digits: number;
}

/** Multiples of 1, 2 or 5 times a power of ten within an interval: no more than `most`, at least two where it can be. */
export function roundTicks([low, high]: Interval, most: number): Ticks {
  if (low === high) return { values: [low], digits: digitsOf([low]) };
  const exponent = Math.floor(Math.log10((high - low) / most));
  const candidates = [exponent, exponent + 1].flatMap((power) => [1, 2, 5].map((factor) => ({ factor, power })));
  for (const { factor, power } of candidates) {
    const values = multiples(low, high, factor, power);
    if (values.length <= most) return { values, digits: Math.max(0, -power) };
  }
  return { values: [], digits: 0 };
}

function multiples(low: number, high: number, factor: number, power: number): number[] {
  // A division by a whole power of ten is exact to the last digit, a multiplication by its inverse is not.
  const step = (n: number): number => (power < 0 ? (n * factor) / 10 ** -power : n * factor * 10 ** power);
  const [first, last] = [Math.ceil(low / step(1) - 1e-9), Math.floor(high / step(1) + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => step(first + i));
}

/** Digits after the point, at most four, that values need. */
export function digitsOf(values: readonly number[]): number {
  return Math.min(4, Math.max(0, ...values.map((value) => String(value).split('.')[1]?.length ?? 0)));
}

/** A number with a true minus sign. */
export function formatNumber(value: number, digits: number): string {
  return value
    .toFixed(digits)
    .replace(/^-(0(?:\.0*)?)$/, '$1')
    .replace('-', '−');
}

/** `45.94 ± 1.20` */
export function withSpread(mean: number, spread: number | null): string {
  return spread === null ? formatNumber(mean, 2) : `${formatNumber(mean, 2)} ± ${formatNumber(spread, 2)}`;
}

/**
 * Moves the middles of labels as little as it must so that each two are `gap` apart, in the order of their values.
 *
 * @param within Where they may lie; where there is no room for all, the gap gives way.
 */
export function separate(places: readonly number[], gap: number, [low, high]: Interval): number[] {
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
