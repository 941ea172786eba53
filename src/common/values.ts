/** Types of values that several keys of a spec have. The message of a refinement begins with "expected". */
import { z } from 'zod';

export const positive = z.number().positive();
export const nonNegative = z.number().nonnegative();
export const count = z.int().positive();
export const probability = z.number().min(0).max(1);

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

/** A range [low, high] of values. */
export const range = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([low, high]) => low <= high, 'expected [low, high] with low ≤ high');
