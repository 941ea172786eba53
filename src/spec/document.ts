/**
 * Spec files before their keys are checked: nested groups in axes become dotted names, and a file is laid over its
 * base.
 */
import { findKey } from './keys.js';
import { formatPath, type Problem } from './problems.js';
import { isMapping, valueAt, type Path } from '../common/tree.js';
import type { YamlDocument } from './yaml.js';

/**
 * The document in which the axes of `grid`, `zip`, `include` and `exclude` have dotted names only: `pretrain: {epochs:
 * 5}` is `pretrain.epochs: 5`.
 */
export function withDottedAxes(document: YamlDocument): { document: YamlDocument; problems: Problem[] } {
  const places = new Map<string, Path>();
  const problems: Problem[] = [];

  const axes = (path: Path): unknown => {
    const value = valueAt(document.value, path);
    if (!isMapping(value)) return value;
    const dotted = new Map<string, unknown>();
    for (const [key, place] of leavesOf(value, path)) {
      const own = key === 'zip' ? zips(place) : valueAt(document.value, place);
      if (dotted.has(key)) {
        const where = formatPath(path);
        problems.push({
          path: formatPath([...path, key]),
          location: document.locate(place, 'key'),
          message: `"${key}" is written twice in ${where}, nested and by its dotted name; keep one`,
        });
      }
      dotted.set(key, own);
      places.set(JSON.stringify([...path, key]), place);
    }
    return Object.fromEntries(dotted);
  };
  const listOf = (path: Path): unknown => {
    const value = valueAt(document.value, path);
    return Array.isArray(value) ? value.map((_, index) => axes([...path, index])) : value;
  };
  const zips = (path: Path): unknown => (Array.isArray(valueAt(document.value, path)) ? listOf(path) : axes(path));

  const { value } = document;
  if (!isMapping(value)) return { document, problems };
  const sections: Record<string, (path: Path) => unknown> = { grid: axes, zip: zips, include: listOf, exclude: listOf };
  const entries = Object.entries(value).map(([key, own]) => {
    const read = Object.hasOwn(sections, key) ? sections[key] : undefined;
    return [key, read === undefined ? own : read([key])] as const;
  });
  return {
    problems,
    document: {
      value: Object.fromEntries(entries),
      locate(path, part) {
        for (let length = path.length; length > 0; length--) {
          const place = places.get(JSON.stringify(path.slice(0, length)));
          if (place !== undefined) return document.locate([...place, ...path.slice(length)], part);
        }
        return document.locate(path, part);
      },
    },
  };
}

/** The axes of a mapping by their dotted names, with their paths. */
function leavesOf(value: Record<string, unknown>, path: Path, prefix = ''): [string, Path][] {
  return Object.entries(value).flatMap(([key, member]): [string, Path][] => {
    const name = prefix + key;
    const place = [...path, key];
    const isGroupOfKeys = isMapping(member) && findKey(name)?.kind === 'group';
    return isGroupOfKeys ? leavesOf(member, place, `${name}.`) : [[name, place]];
  });
}

/** A file laid over its base, and the paths at which it unsets what the base does not set. */
export interface Extended {
  document: YamlDocument;
  idle: Path[];
}

/**
 * Lays a file over its base. Mappings merge key by key. Every other value replaces the value of the base; null unsets
 * it. In the body of a variant, a null for a key that the base does not set is kept: it unsets the value of `job`.
 */
export function extendDocument(base: YamlDocument, own: YamlDocument): Extended {
  const idle: Path[] = [];
  const merge = (below: unknown, above: unknown, path: Path): unknown => {
    if (!isMapping(above) || (below !== undefined && !isMapping(below)) || isValue(path)) return above;
    const merged = new Map(Object.entries(below ?? {}));
    for (const [key, value] of Object.entries(above)) {
      const place = [...path, key];
      if (value !== null) merged.set(key, merge(merged.get(key), value, place));
      else if (!merged.delete(key)) {
        if (path.length >= VARIANT_DEPTH && path[0] === 'variants') merged.set(key, value);
        else idle.push(place);
      }
    }
    return Object.fromEntries(merged);
  };
  const value = merge(base.value, own.value, []);
  return {
    idle,
    document: {
      value,
      locate: (path, part) => (isInBase(path) ? base : own).locate(path, part),
    },
  };

  function isInBase(path: Path): boolean {
    const depth = path.findIndex((_, index) => valueAt(own.value, path.slice(0, index + 1)) === undefined);
    if (depth < 0) return false;
    const around = valueAt(own.value, path.slice(0, depth));
    return isMapping(around) && valueAt(base.value, path.slice(0, depth + 1)) !== undefined;
  }
}

/**
 * Whether a mapping at the path is the value of a key, as a range is the value of an axis. A value replaces another.
 */
const isValue = (path: Path): boolean => path.some((_, start) => findKey(path.slice(start).join('.'))?.kind === 'leaf');

/** The length of the path of a variant: `variants`, its axis, its name. */
const VARIANT_DEPTH = 3;
