/**
 * Axes → points, in an order that does not depend on the order of keys in the file. Axes vary in canonical order
 * (objective, maskRatio, misalignment, stylePreservation, other keys alphabetically, seed), the last one fastest, each
 * through its values as written. Axes of a zip vary together, at the position of their first.
 */
import { canonicalJson } from '../common/canonical.js';
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
type Track = Coordinate[][];

function tracksOf({ grid, zip, root }: Grid): Track[] {
  // The axes of the main grid are under `grid`, those of an include directly in its entry.
  const product = root.length === 0 ? ['grid'] : root;
  const tracks = Object.entries(grid).map(([key, values]) =>
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

/** Whether an `exclude` entry matches: each of its keys has one of the values listed. */
export function isExcluded(entry: Axes, valueOf: (key: string) => unknown): boolean {
  return Object.entries(entry).every(([key, values]) => {
    const own = comparable(key, valueOf(key));
    return values.some((value) => comparable(key, value) === own);
  });
}

/** `true` and `preserved` are the same style. */
function comparable(key: string, value: unknown): string {
  if (value === undefined) return '';
  return canonicalJson(key === 'stylePreservation' && value === true ? 'preserved' : value);
}
