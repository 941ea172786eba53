/** `select.over` → candidates: each gives every key one value. The same ones for every cell. */
import { stream } from '../common/random.js';
import type { Coordinate } from './expand.js';
import { compareKeys } from './expand.js';
import type { Choices, SelectSpec } from './select-schema.js';

/** A value for each key of `select.over`, in canonical order. */
export type Candidate = readonly Coordinate[];

/** Significant digits of a drawn number: enough to tell draws apart, and short enough to write down. */
const DIGITS = 4;

/** The candidates of a selection, in the order in which ties are decided. */
export function candidatesOf({ over, trials, drawSeed }: SelectSpec): Candidate[] {
  const keys = Object.keys(over).sort(compareKeys);
  if (trials === undefined) {
    return keys.reduce<Candidate[]>(
      (all, key) => all.flatMap((candidate) => listed(over[key]!, key).map((value) => [...candidate, value])),
      [[]],
    );
  }
  return Array.from({ length: trials }, (_, trial) => keys.map((key) => drawn(over[key]!, key, drawSeed, trial)));
}

function listed(choices: Choices, key: string): Coordinate[] {
  // `selection.ts` reports intervals without draws.
  const values = choices.kind === 'list' ? choices.values : [choices.from, choices.to];
  return values.map((value, index) => ({ key, value, path: ['select', 'over', key, index] }));
}

/** Each draw has a stream of its own: more trials, or another key, leave the others as they are. */
function drawn(choices: Choices, key: string, drawSeed: number, trial: number): Coordinate {
  const random = stream(drawSeed, 'select', key, trial);
  if (choices.kind === 'list') {
    const index = random.integer(choices.values.length);
    return { key, value: choices.values[index], path: ['select', 'over', key, index] };
  }
  const { from, to, scale, whole } = choices;
  const path = ['select', 'over', key];
  if (whole && scale === 'linear') return { key, value: from + random.integer(to - from + 1), path };
  const value = scale === 'log' ? Math.exp(random.uniform(Math.log(from), Math.log(to))) : random.uniform(from, to);
  return { key, value: whole ? Math.round(value) : Number(value.toPrecision(DIGITS)), path };
}

/** The values of a candidate by their keys. */
export const valuesOf = (candidate: Candidate): Record<string, unknown> =>
  Object.fromEntries(candidate.map(({ key, value }) => [key, value]));
