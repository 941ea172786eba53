/**
 * Kinds of values that several keys of a spec share.
 *
 * The message of a refinement begins with "expected"; what was found is added where it is printed.
 */
import { z } from 'zod';

export const positive = z.number().positive();
export const nonNegative = z.number().nonnegative();
export const count = z.int().positive();
export const probability = z.number().min(0).max(1);
export const beta = z.number().min(0).lt(1);

/** A fraction as a number, or written as in the paper: `160/224`. */
const FRACTION = /^\s*(\d+)\s*\/\s*([1-9]\d*)\s*$/;
export const fraction = z
  .union([z.number(), z.string().regex(FRACTION, 'expected a fraction such as 160/224')])
  .transform((value) => {
    if (typeof value === 'number') return value;
    const [, numerator, denominator] = FRACTION.exec(value)!;
    return Number(numerator) / Number(denominator);
  })
  .pipe(z.number().gt(0, 'expected a fraction above 0').lt(1, 'expected a fraction below 1'));

export const ascending = (range: [number, number]): boolean => range[0] <= range[1];
export const ORDER = 'expected [low, high] with low ≤ high';
export const cropScale = z.tuple([positive.max(1), positive.max(1)]).refine(ascending, ORDER);

/** Of an evaluation that wants more labels than a fine-tuning that few labels shall limit (PAPER.md §13). */
export const labelFraction = probability
  .gt(0)
  .optional()
  .describe('Fraction of the training labels, per class; data.labelFraction by default.');
