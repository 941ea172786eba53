/** Nested mappings by path. Nothing is changed in place; keys such as `__proto__` are keys like any other. */
import type { Path } from './problems.js';

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at the path, or undefined where a mapping on the way lacks the key. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (node, step) => (isMapping(node) && Object.hasOwn(node, step) ? node[step] : undefined),
    root,
  );
}

/** A copy with one place set. Missing mappings on the way are created; other values on the way are kept. */
export function assign(root: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const own = root ?? {};
  if (!isMapping(own)) return root;
  return { ...own, [step]: assign(valueAt(own, [step]), rest, value) };
}
