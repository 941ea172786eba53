/**
 * Ranges of axis values: `{from: 0, to: 4}`, `{from: 0.1, to: 0.9, step: 0.2}`, `{from: 1e-4, to: 1e-2, count: 5,
 * scale: log}`.
 */
import { z } from 'zod';
import { count, positive } from '../common/values.js';

export const rangeSchema = z
  .strictObject({
    from: z.number().describe('The first value.'),
    to: z.number().describe('The last value.'),
    step: positive.optional().describe('From each value to the next; 1 by default.'),
    count: count.optional().describe('Number of values, in place of a step.'),
    scale: z
      .enum(['linear', 'log'])
      .default('linear')
      .describe('log: each value is the same multiple of the one before.'),
  })
  .meta({ id: 'range', description: 'A list of numbers from the first to the last one.' });

export type Range = z.output<typeof rangeSchema>;

/** The most values of a range: as many as the most cells of a sweep. */
const MOST_VALUES = 20_000;

/**
 * The values of a range, both ends included and exact. Values between them are exact if they have at most six digits,
 * and otherwise rounded to about a hundredth of their distance, and at least to three digits: 3.16e-4.
 *
 * @param whole Rounds log-spaced values to whole numbers.
 * @returns the reason and the remedy if the numbers contradict each other.
 */
export function valuesOfRange(range: Range, whole: boolean): number[] | { problem: string } {
  const { from, to, scale, step, count } = range;
  const problem = problemOf(range);
  if (problem !== undefined) return { problem };
  const steps = count === undefined ? stepsOf(range) : count - 1;
  if (steps === undefined || steps >= MOST_VALUES) {
    return steps === undefined
      ? { problem: missing(range) }
      : { problem: `this range has ${steps + 1} values; the most is ${MOST_VALUES}` };
  }
  const between = (index: number): number => {
    if (scale === 'log') {
      const value = from * (to / from) ** (index / steps);
      return whole ? Math.round(value) : tidy(value, value * ((to / from) ** (1 / steps) - 1));
    }
    if (step !== undefined || count === undefined) return Number((from + index * (step ?? 1)).toPrecision(12));
    return tidy(from + ((to - from) * index) / steps, (to - from) / steps);
  };
  const at = (index: number): number => (index === 0 ? from : index === steps ? to : between(index));
  const values = Array.from({ length: steps + 1 }, (_, index) => at(index));
  if (new Set(values).size === values.length) return values;
  return { problem: `this range rounds to the same values (${values.join(', ')}); lower count` };
}

function problemOf({ from, to, step, count, scale }: Range): string | undefined {
  if (from > to) return `from (${from}) is above to (${to}); exchange them`;
  if (step !== undefined && count !== undefined) return 'a range has a step or a count; remove one of them';
  if (count === 1 && from !== to) {
    return `count: 1 is a single value, but from (${from}) and to (${to}) differ; raise count, or write one value`;
  }
  if (scale === 'linear') return undefined;
  if (from <= 0) return `a log-spaced range begins above 0, and from is ${from}; raise from, or remove scale: log`;
  if (step !== undefined) return 'a log-spaced range has no step; write a count, such as count: 5';
  if (count === undefined) return 'a log-spaced range has a count; add one, such as count: 5';
  return undefined;
}

/** The number of steps from the first value to the last; undefined: the steps do not end there. */
function stepsOf({ from, to, step = 1 }: Range): number | undefined {
  const steps = Math.round((to - from) / step);
  // Decimal steps such as 0.1 are not exact in binary.
  return Math.abs(from + steps * step - to) <= 1e-9 * Math.max(Math.abs(from), Math.abs(to), step) ? steps : undefined;
}

function missing({ from, to, step = 1 }: Range): string {
  const last = Number((from + Math.floor((to - from) / step) * step).toPrecision(12));
  const ends = last === from ? `choose a smaller step, or count: …` : `write to: ${last}, or choose another step`;
  return `steps of ${step} from ${from} do not end at ${to}; ${ends}`;
}

const SHORT = 6;

function tidy(value: number, distance: number): number {
  const exact = Number(value.toPrecision(12));
  if (Number(exact.toPrecision(SHORT)) === exact) return exact;
  const digits = Math.floor(Math.log10(Math.abs(value))) - Math.floor(Math.log10(distance)) + 3;
  return Number(value.toPrecision(Math.min(12, Math.max(3, digits))));
}
