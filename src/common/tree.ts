/** Nested mappings and lists by path. Nothing is changed in place; keys such as `__proto__` are keys like any other. */

/** Keys of mappings and indices of lists. */
export type Path = readonly (string | number)[];

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at the path, or undefined if a mapping or a list on the path lacks the step. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((node, step) => {
    if (Array.isArray(node)) return typeof step === 'number' ? (node as unknown[])[step] : undefined;
    return isMapping(node) && Object.hasOwn(node, step) ? node[step] : undefined;
  }, root);
}

/**
 * A copy in which the value at the path is set, or removed if `value` is undefined. Missing mappings on the path are
 * created; other values on the path are kept.
 */
export function assign(root: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(root) && typeof step === 'number' && step < root.length) {
    return (root as unknown[]).with(step, assign(root[step], rest, value));
  }
  const own = root ?? {};
  if (!isMapping(own)) return root;
  const { [step]: previous, ...others } = own;
  const next = assign(Object.hasOwn(own, step) ? previous : undefined, rest, value);
  // A set key keeps its place among the others.
  return next === undefined ? others : { ...own, [step]: next };
}

/** The paths of everything in a value that is no mapping. */
export function leafPaths(value: unknown, path: Path = []): Path[] {
  if (!isMapping(value)) return [path];
  return Object.entries(value).flatMap(([key, member]) => leafPaths(member, [...path, key]));
}
