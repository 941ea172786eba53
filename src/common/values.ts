/** Value types that several keys of a spec have. The message of a refinement begins with "expected". */
import { z } from 'zod';

export const positive = z.number().positive();
export const nonNegative = z.number().nonnegative();
export const count = z.int().positive();
export const probability = z.number().min(0).max(1);
export const beta = z.number().min(0).lt(1);

/**
 * Keys that may be written as a percentage, and what it is a share of: `one`, or another key of the same group. `spec` replaces
 * percentages by numbers before a job is checked, so these schemas only accept numbers.
 */
export const PERCENT_OF = z.registry<{ of: string }>();

/** Epochs of warm-up: a number, or a percentage of the epochs of the same recipe. */
export const warmup = z.number().nonnegative().register(PERCENT_OF, { of: 'epochs' });

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
export const cropScale = range(positive.max(1));

/** For an evaluation that needs more labels than the fine-tuning of a sweep with few labels (PAPER.md §13). */
export const labelFraction = z
  .number()
  .gt(0)
  .max(1)
  .register(PERCENT_OF, { of: 'one' })
  .optional()
  .describe('Fraction of the training labels, per class; data.labelFraction by default.');
