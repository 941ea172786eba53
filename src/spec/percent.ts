/** Percentages in a spec: `labelFraction: 10%`, and `warmupEpochs: 5%` of the epochs of the same recipe. */
import { z } from 'zod';
import { defaultOf, findKey, jobKeys, type KeyLeaf } from './keys.js';
import { assign, valueAt } from './tree.js';

/** From 0% to 100%. The text is also the pattern of the JSON Schema. */
const PERCENT = /^(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?) ?%$/;

const percentage = z.string().regex(PERCENT);

/** 0.05 for `5%`; undefined if the value is no percentage. Exact: `0.7%` is 0.007. */
function shareOf(value: unknown, whole = 1): number | undefined {
  if (typeof value !== 'string' || !PERCENT.test(value)) return undefined;
  // Fifteen digits are exact; the last bits of a quotient are not: 0.7 / 100 is 0.006999999999999999.
  return Number(((Number.parseFloat(value) * whole) / 100).toPrecision(15));
}

/**
 * The schema of a key's value as a spec may write it: where the key allows percentages, these too. A share of 1 becomes a
 * number at once; a share of another key stays text until {@link withoutPercentages}.
 */
export function asWritten({ schema, percentOf }: KeyLeaf): z.core.$ZodType {
  if (percentOf === undefined) return schema;
  if (percentOf !== 'one') return z.union([schema, percentage]);
  const ofOne = schema as z.core.$ZodType<unknown, number | undefined>; // keys with shares of 1 are numbers
  return z.union([schema, percentage.transform((text) => shareOf(text)).pipe(ofOne)]);
}

/** The keys that may be a share of another key, and that key. */
const RELATIVE = jobKeys().flatMap((name) => {
  const node = findKey(name);
  if (node?.kind !== 'leaf' || node.percentOf === undefined || node.percentOf === 'one') return [];
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
