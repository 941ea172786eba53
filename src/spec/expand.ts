/**
 * Axes → points, in an order that does not depend on the order of keys in the file. Axes vary in canonical order
 * (objective, maskRatio, misalignment, stylePreservation, other keys alphabetically, seed), the last one fastest, each
 * through its values as written. Axes of a zip vary together, at the position of their first.
 */
import { canonicalJson } from '../common/canonical.js';
import { addTo, groupBy } from '../common/group-by.js';
import { leafPaths, valueAt, type Path } from '../common/tree.js';
import type { Axes, Variants, Zip } from './sweep-schema.js';

/** A key of a job with the value that an axis gives it. */
export interface Setting {
  /** Its dotted name. Of a group of keys, the value is undefined. */
  key: string;
  /** undefined: the key is unset. */
  value: unknown;
  /** Path of the value in the file. */
  path: Path;
}

/** One axis's value at a point. */
export interface Coordinate {
  /** The axis: a key of a job, or an axis of variants. */
  key: string;
  /** For an axis of variants, the name of one. */
  value: unknown;
  /** Path of the value in the file. */
  path: Path;
  /** What it sets: the key itself, or the keys of the variant. */
  settings: readonly Setting[];
}

/** A grid's axes; `root` is their path in the file. */
export interface Grid {
  grid: Axes;
  zips: readonly Zip[];
  /** The axes of variants that neither names; they have all their variants. */
  variants: Axes;
  root: Path;
}

/** The axes of a grid by their names, in the order of the file. */
export function axesOfGrid({ grid, zips, variants }: Grid): Axes {
  return Object.assign({}, grid, ...zips.map(({ axes }) => axes), variants) as Axes;
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
export function tracksOf({ grid, zips, variants, root }: Grid, definitions: Variants): Track[] {
  // The main grid's axes are under `grid`, an include's directly in its entry.
  const product = root.length === 0 ? ['grid'] : root;
  const at = (key: string, value: unknown, path: Path): Coordinate => coordinateOf(key, value, path, definitions);
  const tracks: Track[] = [
    ...Object.entries(grid).map(([key, values]) => values.map((value, i) => [at(key, value, [...product, key, i])])),
    ...Object.entries(variants).map(([key, names]) =>
      names.map((name) => [at(key, name, ['variants', key, String(name)])]),
    ),
    ...zips.map(({ axes, path }) => {
      const paired = Object.keys(axes).sort(compareKeys);
      return Array.from({ length: axes[paired[0]!]!.length }, (_, i) =>
        paired.map((key) => at(key, axes[key]![i], [...root, ...path, key, i])),
      );
    }),
  ];
  return tracks.sort((a, b) => compareKeys(a[0]![0]!.key, b[0]![0]!.key));
}

/** A value of an axis. */
export const coordinateOf = (
  key: string,
  value: unknown,
  path: Path,
  definitions: Variants = new Map(),
): Coordinate => ({
  key,
  value,
  path,
  settings: settingsOf(key, value, path, definitions),
});

function settingsOf(key: string, value: unknown, path: Path, definitions: Variants): Setting[] {
  const keys = typeof value === 'string' ? definitions.get(key)?.get(value) : undefined;
  if (keys === undefined) return [{ key, value: value ?? undefined, path }];
  return leafPaths(keys).flatMap((leaf): Setting[] =>
    leaf.length === 0
      ? []
      : [
          {
            key: leaf.join('.'),
            value: valueAt(keys, leaf) ?? undefined,
            path: ['variants', key, String(value), ...leaf],
          },
        ],
  );
}

/** Number of points of a grid. */
export function countPoints(grid: Grid): number {
  const { zips, variants } = grid;
  const lists = [
    ...Object.values(grid.grid),
    ...Object.values(variants),
    ...zips.flatMap(({ axes }) => Object.values(axes).slice(0, 1)),
  ];
  return lists.reduce((count, { length }) => count * length, 1);
}

/**
 * Every point of the axes of a grid; without axes, one point without coordinates. The lists of a zip have the same
 * length.
 */
export function pointsOf(tracks: readonly Track[]): Coordinate[][] {
  return tracks.reduce<Coordinate[][]>(
    (points, track) => points.flatMap((point) => track.map((step) => [...point, ...step])),
    [[]],
  );
}

/**
 * A function that lists which entries of `exclude` match a point: those of which each key has one of the values listed.
 * null matches `unsetValue`: the value of a key that is not set.
 * Entries with the same keys are looked up together, so that many of them cost little more than one.
 */
export function excludeMatcher(
  entries: readonly Axes[],
  unsetValue: (key: string) => unknown = () => undefined,
): (valueOf: (key: string) => unknown) => number[] {
  const exclusions = entries.map((entry, index): Exclusion => {
    const values = Object.entries(entry).map(
      ([key, list]) => [key, new Set(list.map((value) => comparable(key, value ?? unsetValue(key))))] as const,
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
        for (const value of entry.values.get(key) ?? []) addTo(byValue, value, entry);
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
