/** Percentages of other keys: `warmupEpochs: 5%` is a share of the epochs of the same recipe. */
import { shareOf } from '../common/values.js';
import { defaultOf, findKey, jobKeys } from './keys.js';
import { assign, valueAt } from './tree.js';

/** The keys that may be a share of another key, and that key. */
const RELATIVE = jobKeys().flatMap((name) => {
  const node = findKey(name);
  if (node?.kind !== 'leaf' || node.percentOf === undefined) return [];
  const path = name.split('.');
  const whole = [...path.slice(0, -1), node.percentOf];
  const leaf = findKey(whole.join('.'));
  if (leaf?.kind !== 'leaf') throw new Error(`${name} is a share of ${whole.join('.')}, which is not a key`);
  return [{ path, whole, fallback: defaultOf(leaf) }];
});

/** A job, as written, in which shares of other keys are numbers: `5%` of 20 epochs is 1. */
export function withoutPercentages(job: unknown): unknown {
  return RELATIVE.reduce((resolved, { path, whole, fallback }) => {
    const total = valueAt(job, whole) ?? fallback;
    const number = typeof total === 'number' ? shareOf(valueAt(job, path), total) : undefined;
    return number === undefined ? resolved : assign(resolved, path, number);
  }, job);
}
