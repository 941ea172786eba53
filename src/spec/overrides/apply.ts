/** Overrides → the document of a spec in which their values replace those of the file, before it is checked. */
import { findKey } from '../keys.js';
import type { Location } from '../problems.js';
import { assign, isMapping, leafPaths, valueAt, type Path } from '../../common/tree.js';
import type { YamlDocument } from '../yaml.js';
import type { Assignment, Override } from './override.js';

/** A spec file with the options laid over it. */
export interface Overridden {
  document: YamlDocument;
  /** The keys of a job that options set or unset, by their dotted names. */
  jobKeys: string[];
  /** Options that unset a key that is not set. */
  idle: Override[];
}

/** Lays the overrides over the document, the last of several for one key winning. */
export function applyOverrides(document: YamlDocument, overrides: readonly Override[]): Overridden {
  const placed: { path: Path; location: Location }[] = [];
  const keys: string[] = [];
  const idle: Override[] = [];
  let root = document.value;
  for (const override of overrides) {
    const assignments = override.kind === 'keys' ? override.assignments : axisAssignments(override, root);
    if (assignments.every(({ path, value }) => value === undefined && valueAt(root, path) === undefined)) {
      idle.push(override);
    }
    for (const { path, value } of assignments) {
      keys.push(...jobKeysSet(path, value === undefined ? valueAt(root, path) : value));
      root = assign(root, path, value);
      placed.push({ path, location: override.location });
    }
  }
  return {
    document: {
      value: root,
      locate(path, part) {
        const owner = placed.findLast(({ path: set }) => set.every((step, index) => path[index] === step));
        return owner?.location ?? document.locate(path, part);
      },
    },
    jobKeys: keys,
    idle,
  };
}

function jobKeysSet(path: Path, value: unknown): string[] {
  if (path[0] !== 'job' || value === undefined) return [];
  const names = leafPaths(value, path).map((leaf) => leaf.slice(1).join('.'));
  return names.filter((name) => findKey(name)?.kind === 'leaf');
}

/**
 * The places at which an axis is set: the main grid, and every include that has the axis. If a sweep has only includes,
 * and none of them has the axis, it is set in all of them.
 */
function axisAssignments({ section, key, value }: Override & { kind: 'axis' }, root: unknown): Assignment[] {
  const list = valueAt(root, ['include']);
  const includes = Array.isArray(list) ? list.map((_, index): Path => ['include', index]) : [];
  const placeIn = (grid: Path): Path => (section === 'zip' ? [...zipWith(key, grid, root), key] : [...grid, key]);
  const isSet = (path: Path): boolean => valueAt(root, path) !== undefined;
  const having = includes.map(placeIn).filter(isSet);
  const onlyIncludes = includes.length > 0 && ['grid', 'zip'].every((name) => isEmpty(valueAt(root, [name])));
  // An axis of the main zip is no axis of the main grid; `shadowedOverrides` reports this.
  const other = section === 'grid' ? [...zipWith(key, [], root), key] : ['grid', key];
  const main = isSet(other) ? [] : [section === 'grid' ? ['grid', key] : placeIn([])];
  // Every grid has the axes of variants, unless it pairs them in a zip.
  const everywhere = section === 'grid' && valueAt(root, ['variants', key]) !== undefined;
  const inAll = includes.filter((grid) => !isSet([...zipWith(key, grid, root), key])).map(placeIn);
  const inIncludes = everywhere ? inAll : having;
  const paths = onlyIncludes ? (inIncludes.length > 0 ? inIncludes : includes.map(placeIn)) : [...main, ...inIncludes];
  return paths.map((path) => ({ path, value }));
}

/** The path of the zip of a grid that has the key; if none has it, of the first. */
function zipWith(key: string, grid: Path, root: unknown): Path {
  const path = [...grid, 'zip'];
  const zips = valueAt(root, path);
  if (!Array.isArray(zips)) return path;
  const index = zips.findIndex((zip) => isMapping(zip) && Object.hasOwn(zip, key));
  return [...path, Math.max(0, index)];
}

const isEmpty = (axes: unknown): boolean =>
  axes === undefined ||
  axes === null ||
  (Array.isArray(axes) && axes.every(isEmpty)) ||
  (isMapping(axes) && Object.keys(axes).length === 0);
