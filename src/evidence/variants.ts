/**
 * The names of variants in the settings of tables and charts: `size=large` in place of every key that the variant sets. Only
 * the text changes; which runs are compared is decided by the keys.
 */
import { groupBy } from '../common/group-by.js';
import { findKey } from '../spec/keys.js';
import type { Cell } from '../spec/stages.js';
import { appliesTo, type Configuration, type Configured } from './configuration.js';

/** Axis → the name of its variant. */
export type VariantNames = ReadonlyMap<string, string>;

/** Something with a configuration, and the variants of its cells. */
export interface Varied extends Configured {
  strengths: Configuration;
  variants: VariantNames;
}

/**
 * The variants of a job. An axis of which its cells have several variants does not decide the job, and is left out.
 */
export function variantsOf(cells: readonly Cell[]): VariantNames {
  const variants = cells.flatMap(({ overrides }) =>
    Object.entries(overrides).flatMap(([axis, name]) =>
      findKey(axis) === undefined && typeof name === 'string' ? [{ axis, name }] : [],
    ),
  );
  return new Map(
    [...groupBy(variants, ({ axis }) => axis)].flatMap(([axis, own]) => {
      const [name, ...others] = new Set(own.map((each) => each.name));
      return name === undefined || others.length > 0 ? [] : [[axis, name] as const];
    }),
  );
}

/** The key of the mask ratio in settings. It is no strength: tables of factors compare its levels. */
export const MASK_RATIO = 'maskRatio';

/** A key with its value, as tables write them. */
export type SettingEntry = readonly [key: string, value: string];

/** Writes entries of an item's setting: `size=large pretrain.epochs=20`. */
export type DescribeSetting = (entries: readonly SettingEntry[], item: Varied) => string;

/**
 * How settings are written among these items. A variant's name stands for the keys that have one value in each variant of
 * its axis, and not the same in all; they may be keys that follow from those of the variant, such as the sizes of a preset.
 */
export function settingsAmong(items: readonly Varied[]): DescribeSetting {
  const axes = [...new Set(items.flatMap(({ variants }) => [...variants.keys()]))].sort();
  const decided = new Map<string, string | undefined>();
  const axisOf = (key: string): string | undefined => {
    if (!decided.has(key))
      decided.set(
        key,
        axes.find((axis) => decides(axis, key, items)),
      );
    return decided.get(key);
  };
  return (entries, { variants }) => {
    const named = new Set<string>();
    const others = entries.filter(([key]) => {
      const axis = axisOf(key);
      if (axis === undefined || !variants.has(axis)) return true;
      named.add(axis);
      return false;
    });
    const names = axes.flatMap((axis): SettingEntry[] => (named.has(axis) ? [[axis, variants.get(axis)!]] : []));
    return [...names, ...others].map(([key, value]) => `${key}=${value}`).join(' ');
  };
}

function decides(axis: string, key: string, items: readonly Varied[]): boolean {
  // Without pre-training, some keys have other values: the initial weights.
  const values = [true, false].map((scratch) => {
    const own = items.filter(({ task }) => (task === null) === scratch);
    return valuesByName(axis, key, own);
  });
  return values.every((each) => each !== undefined) && values.some((each) => new Set(each.values()).size > 1);
}

/** The value of a key in each variant of an axis; undefined if a variant has several, or an item has none. */
function valuesByName(axis: string, key: string, items: readonly Varied[]): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const item of items) {
    if (!appliesTo(key, item)) continue;
    const value = valueOf(key, item);
    if (value === undefined) continue;
    const name = item.variants.get(axis);
    if (name === undefined || (values.get(name) ?? value) !== value) return undefined;
    values.set(name, value);
  }
  return values;
}

/** undefined: the key is of a task, and this item has another task. */
function valueOf(key: string, { configuration, strengths, task }: Varied): string | undefined {
  if (key === MASK_RATIO) return task === null || task.maskRatio === 0 ? undefined : String(task.maskRatio);
  if (key.startsWith('degradation.')) return strengths.get(key);
  return configuration.get(key) ?? strengths.get(key) ?? 'unset';
}
