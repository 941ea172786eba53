/** Strengths that differ between compared cells of a factorial. */
import type { DegradationEntry } from '../task/entry.js';
import { GEOMETRIES } from '../task/geometries/index.js';
import { MASKS } from '../task/masks/index.js';
import { strengthsKey } from '../task/strengths.js';
import { STYLES } from '../task/styles/index.js';
import type { ContrastCell } from './contrasts.js';

const ENTRIES: readonly DegradationEntry[] = [
  ...Object.values(GEOMETRIES),
  ...Object.values(STYLES),
  ...Object.values(MASKS),
];

/** Keys whose values are determined by whether there is a mask; every other strength is a choice of the spec. */
const DETERMINED_BY_MASK: ReadonlySet<string> = new Set(
  ENTRIES.flatMap(({ name, determinedByMask = [] }) =>
    determinedByMask.map((key) => `degradation.${strengthsKey(name)}.${key}`),
  ),
);

/**
 * A sentence for each strength that differs between cells of one comparison that have it, as the paper's zoom, which
 * differs with the mask: comparing those cells compares the strength too.
 *
 * @param comparisons The cells of each.
 */
export function strengthDepartures(comparisons: readonly (readonly ContrastCell[])[]): string[] {
  return [...new Set(comparisons.flatMap(differingStrengths))];
}

function differingStrengths(cells: readonly ContrastCell[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const { strengths } of cells.flatMap(({ measurements }) => measurements)) {
    for (const [key, value] of strengths) values.set(key, (values.get(key) ?? new Set()).add(value));
  }
  return [...values]
    .filter(([key, own]) => own.size > 1 && !DETERMINED_BY_MASK.has(key))
    .map(
      ([key, own]) =>
        `${key} differs between cells that are compared (${[...own].map(rounded).sort().join(', ')}): ` +
        'their difference is also one of this.',
    );
}

function rounded(value: string): string {
  return /^\d*\.\d{4,}$/.test(value) ? Number(value).toFixed(3) : value;
}
