/** Numbers as the page writes them. */

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
