/** Percentages of other keys: `warmupEpochs: 5%` is a share of the epochs of the same recipe. */
import { assign, isMapping, valueAt } from '../common/tree.js';
import { shareOf } from '../common/values.js';
import { defaultOf, findKey, jobKeys } from './keys.js';

interface Relative {
  path: readonly string[];
  /** The key that it is a share of, and the value of this key if nothing sets it. */
  whole: readonly string[];
  fallback: unknown;
}

/**
 * The keys that may be a share of another key; `outer` is the same key of the recipe around a recipe, if there is one.
 */
const RELATIVE = jobKeys().flatMap((name): (Relative & { outer: Relative | undefined })[] => {
  const own = relativeAt(name.split('.'));
  return own === undefined ? [] : [{ ...own, outer: relativeAt(name.split('.').toSpliced(-2, 1)) }];
});

function relativeAt(path: readonly string[]): Relative | undefined {
  const leaf = findKey(path.join('.'));
  if (leaf?.kind !== 'leaf' || leaf.percentOf === undefined) return undefined;
  const whole = [...path.slice(0, -1), leaf.percentOf];
  const total = findKey(whole.join('.'));
  if (total?.kind !== 'leaf') throw new Error(`${path.join('.')} is a share of ${whole.join('.')}, which is not a key`);
  return { path, whole, fallback: defaultOf(total) };
}

/**
 * A job, as written, in which shares of other keys are numbers: `5%` of 20 epochs is 1. A recipe within a recipe, such
 * as `scratch`, has the values of the recipe around it for keys that it does not set; an entry of `evaluate` those of
 * its protocol. If such a recipe sets its own epochs, a share that it takes is a share of these.
 */
export function withoutPercentages(job: unknown): unknown {
  const resolved = RELATIVE.reduce((before, relative) => {
    const number = numberOf(relative, [(path) => valueAt(job, path)]);
    return number === undefined ? before : assign(before, relative.path, number);
  }, job);
  const entries = valueAt(job, ['evaluate']);
  if (!Array.isArray(entries)) return resolved;
  return assign(
    resolved,
    ['evaluate'],
    entries.map((entry: unknown) => withoutPercentagesIn(entry, job)),
  );
}

function withoutPercentagesIn(entry: unknown, job: unknown): unknown {
  if (!isMapping(entry)) return entry;
  const protocol = entry.protocol ?? entry.name;
  return RELATIVE.filter(({ path }) => path[0] === protocol).reduce<unknown>((before, relative) => {
    const number = numberOf(relative, [([, ...path]) => valueAt(entry, path), (path) => valueAt(job, path)]);
    return number === undefined ? before : assign(before, relative.path.slice(1), number);
  }, entry);
}

/**
 * The number of a share that the first of the recipes sets, or takes although it sets the other key; undefined: it does
 * neither.
 *
 * @param recipes Look up a key: each sets what the ones after it do not.
 */
function numberOf(
  { path, whole, fallback, outer }: Relative & { outer: Relative | undefined },
  recipes: readonly ((path: readonly string[]) => unknown)[],
): number | undefined {
  const valuesAt = (place: Pick<Relative, 'path' | 'whole'>): Values[] =>
    recipes.map((read) => ({ share: read(place.path), whole: read(place.whole) }));
  const inner = valuesAt({ path, whole });
  const around = outer === undefined ? [] : valuesAt(outer);
  const first = (key: keyof Values): unknown =>
    [inner, around]
      .flatMap((values) => beforeNull(values.map((each) => each[key])))
      .find((value) => value !== undefined);
  const total = first('whole') ?? (outer === undefined ? fallback : outer.fallback);
  if (typeof total !== 'number') return undefined;
  const given = first('share');
  if (setsOne(inner[0])) return shareOf(given, total);
  // The job has a recipe within its recipe, and the entry changes what that one takes from the recipe around it.
  if (!inner.some(setsOne) || !setsOne(around[0])) return undefined;
  return typeof given === 'number' ? given : shareOf(given, total);
}

/** null in an entry unsets what the recipe of its protocol sets. */
function beforeNull(values: readonly unknown[]): readonly unknown[] {
  const end = values.indexOf(null);
  return end < 0 ? values : values.slice(0, end);
}

/** The values that a recipe sets for a share and for the key that it is a share of. */
interface Values {
  share: unknown;
  whole: unknown;
}

const setsOne = (values: Values | undefined): boolean => values?.share !== undefined || values?.whole !== undefined;
