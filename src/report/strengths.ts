/** What else differs where cells of a factorial are compared. */
import type { FactorCell } from './factorial.js';

/** How a loss counts what a mask leaves follows from the mask; every other strength is a choice of the spec. */
const FOLLOWS_THE_MASK = /\.(loss|centreWeight|borderWeight)$/;

/**
 * A sentence for each strength that differs between cells of one comparison that have it, as the paper's zoom, which
 * differs with the mask: comparing those cells compares the strength too.
 *
 * @param comparisons The cells of each.
 */
export function strengthDepartures(comparisons: readonly (readonly FactorCell[])[]): string[] {
  return [...new Set(comparisons.flatMap(differingStrengths))];
}

function differingStrengths(cells: readonly FactorCell[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const { strengths } of cells.flatMap(({ measurements }) => measurements)) {
    for (const [key, value] of strengths) values.set(key, (values.get(key) ?? new Set()).add(value));
  }
  return [...values]
    .filter(([key, own]) => own.size > 1 && !FOLLOWS_THE_MASK.test(key))
    .map(
      ([key, own]) =>
        `${key} differs between cells that are compared (${[...own].map(rounded).sort().join(', ')}): ` +
        'their difference is also one of this.',
    );
}

function rounded(value: string): string {
  return /^\d*\.\d{4,}$/.test(value) ? Number(value).toFixed(3) : value;
}
