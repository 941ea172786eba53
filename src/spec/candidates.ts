/** `select.over` → candidates: each gives every key one value. The same ones for every cell. */
import { stream } from '../common/random.js';
import { compareKeys, coordinateOf, type Coordinate } from './expand.js';
import { valuesOfRange } from './ranges.js';
import type { Choices, SelectSpec } from './select-schema.js';

/** A value for each key of `select.over`, in canonical order. */
export type Candidate = readonly Coordinate[];

/** Significant digits of a drawn number: enough to distinguish draws, and short enough to write down. */
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
  return listOf(choices).map((value, index) => coordinateOf(key, value, ['select', 'over', key, index]));
}

function listOf(choices: Choices): unknown[] {
  if (choices.kind === 'list') return choices.values;
  const { from, to, scale, whole } = choices;
  const values = whole ? valuesOfRange({ from, to, scale }, true) : { problem: 'an interval' };
  // `selection.ts` reports intervals that are no lists.
  return 'problem' in values ? [from, to] : values;
}

/** Each draw has a stream of its own: more trials, or another key, leave the others as they are. */
function drawn(choices: Choices, key: string, drawSeed: number, trial: number): Coordinate {
  const random = stream(drawSeed, 'select', key, trial);
  if (choices.kind === 'list') {
    const index = random.integer(choices.values.length);
    return coordinateOf(key, choices.values[index], ['select', 'over', key, index]);
  }
  const { from, to, scale, whole } = choices;
  const path = ['select', 'over', key];
  if (whole && scale === 'linear') return coordinateOf(key, from + random.integer(to - from + 1), path);
  const value = scale === 'log' ? Math.exp(random.uniform(Math.log(from), Math.log(to))) : random.uniform(from, to);
  return coordinateOf(key, whole ? Math.round(value) : Number(value.toPrecision(DIGITS)), path);
}

/** The values of a candidate by their keys. */
export const valuesOf = (candidate: Candidate): Record<string, unknown> =>
  Object.fromEntries(candidate.map(({ key, value }) => [key, value]));
