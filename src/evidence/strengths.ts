/** Strengths that differ between compared cells of a factorial. */
import { groupBy } from '../common/group-by.js';
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
  const strengths = cells.flatMap(({ measurements }) => measurements.flatMap((each) => [...each.strengths]));
  return [...groupBy(strengths, ([key]) => key)].flatMap(([key, own]) => {
    const values = [...new Set(own.map(([, value]) => value))];
    if (values.length === 1 || DETERMINED_BY_MASK.has(key)) return [];
    return [
      `${key} differs between cells that are compared (${values.map(rounded).sort().join(', ')}): ` +
        'their difference is also one of this.',
    ];
  });
}

function rounded(value: string): string {
  return /^\d*\.\d{4,}$/.test(value) ? Number(value).toFixed(3) : value;
}
