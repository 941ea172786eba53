/** Overrides that have no effect, because an axis or a variant of the spec sets the same key. */
import { formatPath, show, type Problem } from '../problems.js';
import type { Variants, Zip } from '../sweep-schema.js';
import { valueAt, type Path } from '../../common/tree.js';
import type { AxisSection, Override } from './override.js';

/** The axes of one grid of the spec. */
interface AxesOf {
  grid: Readonly<Record<string, unknown>>;
  zips: readonly Zip[];
  variants: Readonly<Record<string, unknown>>;
  root: Path;
}

const hasAxis = (grid: AxesOf, section: AxisSection, key: string): boolean =>
  section === 'grid' ? Object.hasOwn(grid.grid, key) : grid.zips.some(({ axes }) => Object.hasOwn(axes, key));

/** Options without the effect that they name: an axis of the spec sets the same key in every cell, or in some. */
export function shadowedOverrides(
  overrides: readonly Override[],
  grids: readonly AxesOf[],
  variants: Variants,
): Problem[] {
  return overrides.flatMap((override): Problem[] => {
    const { location } = override;
    if (override.kind === 'axis') {
      const { section, key, value } = override;
      const other = section === 'grid' ? 'zip' : 'grid';
      const owner = value === undefined ? undefined : grids.find((grid) => hasAxis(grid, other, key));
      if (owner === undefined) return [];
      const message = `"${key}" is an axis of ${nameOf(owner.root, other)}; write --set ${other}.${key}=…`;
      return [{ path: `${section}.${key}`, location, message }];
    }
    return override.assignments.flatMap(({ path, value }) => {
      const key = path.slice(1).join('.');
      if (path[0] !== 'job' || value === undefined) return [];
      const owner = grids.find((grid) => hasAxis(grid, 'grid', key) || hasAxis(grid, 'zip', key));
      if (owner === undefined) {
        const variant = variantsSetting(key, variants);
        if (variant === undefined) return [];
        const message = `"${key}" is set by ${variant}, which comes before job; write --set ${variant}.${key}=${show(value)}`;
        return [{ path: `job.${key}`, location, message }];
      }
      const section = hasAxis(owner, 'grid', key) ? 'grid' : 'zip';
      const cells = owner.root.length > 0 ? 'its cells' : 'every cell';
      const remedy = section === 'grid' ? `[${show(value)}]` : '…';
      const message = `"${key}" is an axis of ${nameOf(owner.root, section)}, which sets it in ${cells}; write --set ${section}.${key}=${remedy}`;
      return [{ path: `job.${key}`, location, message }];
    });
  });
}

/** The first variant that sets a key, as `variants.size.small`. */
function variantsSetting(key: string, variants: Variants): string | undefined {
  for (const [axis, named] of variants) {
    for (const [name, keys] of named) {
      if (valueAt(keys, key.split('.')) !== undefined) return formatPath(['variants', axis, name]);
    }
  }
  return undefined;
}

/** `the grid`, `the zip of include[0]` */
function nameOf(root: Path, section: AxisSection): string {
  if (root.length === 0) return `the ${section}`;
  return section === 'grid' ? formatPath(root) : `the zip of ${formatPath(root)}`;
}
