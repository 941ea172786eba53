/** Percentages of other keys: `warmupEpochs: 5%` is a share of the epochs of the same recipe. */
import { z } from 'zod';
import { percentage, shareOf } from '../common/values.js';
import { defaultOf, findKey, jobKeys, type KeyLeaf } from './keys.js';
import { assign, valueAt } from './tree.js';

/** The schema of a key's value as a spec may write it: percentages stay text until {@link withoutPercentages}. */
export function asWritten({ schema, percentOf }: KeyLeaf): z.core.$ZodType {
  return percentOf === undefined ? schema : z.union([schema, percentage]);
}

interface Relative {
  path: readonly string[];
  /** The key that it is a share of, and the value of this key if nothing sets it. */
  whole: readonly string[];
  fallback: unknown;
}

/** The keys that may be a share of another key; `outer` is the same key of the recipe around a recipe, if there is one. */
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
 * A job, as written, in which shares of other keys are numbers: `5%` of 20 epochs is 1. A recipe within a recipe, such as that
 * of training from scratch, takes what it does not set from the one around it; a share of that one is then a share of its
 * own epochs.
 */
export function withoutPercentages(job: unknown): unknown {
  return RELATIVE.reduce((resolved, { path, whole, fallback, outer }) => {
    const ownTotal = valueAt(job, whole);
    const inherited = outer !== undefined && ownTotal !== undefined ? valueAt(job, outer.path) : undefined;
    const total = ownTotal ?? (outer === undefined ? fallback : (valueAt(job, outer.whole) ?? outer.fallback));
    const number = typeof total === 'number' ? shareOf(valueAt(job, path) ?? inherited, total) : undefined;
    return number === undefined ? resolved : assign(resolved, path, number);
  }, job);
}
