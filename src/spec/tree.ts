/** Nested mappings by path. Nothing is changed in place; `__proto__` and similar keys are ordinary keys. */
import type { Path } from './problems.js';

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at the path; undefined if a mapping on the path lacks the key. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (node, step) => (isMapping(node) && Object.hasOwn(node, step) ? node[step] : undefined),
    root,
  );
}

/** A copy with one value set. Missing mappings on the path are created; other values on the path are kept. */
export function assign(root: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const own = root ?? {};
  if (!isMapping(own)) return root;
  return { ...own, [step]: assign(valueAt(own, [step]), rest, value) };
}
