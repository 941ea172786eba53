/**
 * Axes → points, in an order that does not depend on the order of keys in the file. Axes vary in canonical order
 * (objective, maskRatio, misalignment, stylePreservation, other keys alphabetically, seed), the last one fastest, each
 * through its values as written. Axes of a zip vary together, at the position of their first.
 */
import { canonicalJson } from '../common/canonical.js';
import { groupBy } from '../common/group-by.js';
import type { Path } from './problems.js';
import type { Axes } from './sweep-schema.js';

/** One axis's value at a point. */
export interface Coordinate {
  key: string;
  value: unknown;
  /** Path of the value in the file. */
  path: Path;
}

/** A grid's axes; `root` is their path in the file. */
export interface Grid {
  grid: Axes;
  zip: Axes;
  root: Path;
}

const LEADING = ['objective', 'maskRatio', 'misalignment', 'stylePreservation'];

function rank(key: string): number {
  const index = LEADING.indexOf(key);
  return index >= 0 ? index : key === 'seed' ? LEADING.length + 1 : LEADING.length;
}

/** Canonical order of axis keys. */
export function compareKeys(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** An axis, or a zip as one axis: each step sets one or more keys. */
export type Track = readonly (readonly Coordinate[])[];

/** The axes of a grid in canonical order. */
export function tracksOf({ grid, zip, root }: Grid): Track[] {
  // The main grid's axes are under `grid`, an include's directly in its entry.
  const product = root.length === 0 ? ['grid'] : root;
  const tracks: Track[] = Object.entries(grid).map(([key, values]) =>
    values.map((value, index) => [{ key, value, path: [...product, key, index] }]),
  );
  const paired = Object.keys(zip).sort(compareKeys);
  if (paired.length > 0) {
    const length = zip[paired[0]!]!.length;
    tracks.push(
      Array.from({ length }, (_, index) =>
        paired.map((key) => ({ key, value: zip[key]![index], path: [...root, 'zip', key, index] })),
      ),
    );
  }
  return tracks.sort((a, b) => compareKeys(a[0]![0]!.key, b[0]![0]!.key));
}

/** Number of points of a grid. */
export function countPoints(grid: Grid): number {
  return tracksOf(grid).reduce((count, track) => count * track.length, 1);
}

/**
 * Every point of a grid; for a grid without axes, one point without coordinates. The lists of a zip have the same
 * length.
 */
export function pointsOf(grid: Grid): Coordinate[][] {
  return tracksOf(grid).reduce<Coordinate[][]>(
    (points, track) => points.flatMap((point) => track.map((step) => [...point, ...step])),
    [[]],
  );
}

/**
 * A function that lists which entries of `exclude` match a point: those of which each key has one of the values listed.
 * Entries with the same keys are looked up together, so that many of them cost little more than one.
 */
export function excludeMatcher(entries: readonly Axes[]): (valueOf: (key: string) => unknown) => number[] {
  const exclusions = entries.map((entry, index): Exclusion => {
    const values = Object.entries(entry).map(
      ([key, list]) => [key, new Set(list.map((value) => comparable(key, value)))] as const,
    );
    return { index, values: new Map(values) };
  });
  const groups = groupBy(exclusions, ({ values }) => [...values.keys()].sort().join(' '));
  const lookups = [...groups.values()].map(lookupOf);
  return (valueOf) => {
    const own = new Map<string, string>();
    const textOf = (key: string): string => {
      const text = own.get(key) ?? comparable(key, valueOf(key));
      own.set(key, text);
      return text;
    };
    return lookups.flatMap(({ key, byValue }) =>
      (byValue.get(textOf(key)) ?? [])
        .filter(({ values }) => [...values].every(([name, listed]) => listed.has(textOf(name))))
        .map(({ index }) => index),
    );
  };
}

interface Exclusion {
  index: number;
  /** The values of each key, as {@link comparable} texts. */
  values: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The entries of one group by their values of the key that distinguishes them best. */
function lookupOf(group: readonly Exclusion[]): { key: string; byValue: ReadonlyMap<string, Exclusion[]> } {
  const [best] = [...(group[0]?.values.keys() ?? [])]
    .map((key) => {
      const byValue = new Map<string, Exclusion[]>();
      for (const entry of group) {
        for (const value of entry.values.get(key) ?? []) {
          const same = byValue.get(value);
          if (same === undefined) byValue.set(value, [entry]);
          else same.push(entry);
        }
      }
      return { key, byValue };
    })
    .sort((a, b) => b.byValue.size - a.byValue.size);
  return best ?? { key: '', byValue: new Map() };
}

/** `true` and `preserved` are the same style. */
function comparable(key: string, value: unknown): string {
  if (value === undefined) return '';
  return canonicalJson(key === 'stylePreservation' && value === true ? 'preserved' : value);
}
