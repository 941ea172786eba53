/** Value types that several keys of a spec have. The message of a refinement begins with "expected". */
import { z } from 'zod';

export const positive = z.number().positive();
export const nonNegative = z.number().nonnegative();
export const count = z.int().positive();
export const probability = z.number().min(0).max(1);
export const beta = z.number().min(0).lt(1);

/** From 0% to 100%. */
const PERCENT = /^(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?) ?%$/;

export const percentage = z.string().regex(PERCENT);

/** 0.05 for `5%`, or that share of a whole; undefined if the value is no percentage. Exact: `0.7%` is 0.007. */
export function shareOf(value: unknown, whole = 1): number | undefined {
  if (typeof value !== 'string' || !PERCENT.test(value)) return undefined;
  // Fifteen digits are exact; the last bits of a quotient are not: 0.7 / 100 is 0.006999999999999999.
  return Number(((Number.parseFloat(value) * whole) / 100).toPrecision(15));
}

/** A fraction that may be written as a percentage: 0.1 or `10%`. */
export const share = (fraction: z.ZodNumber) =>
  z.union([fraction, percentage.transform((text) => shareOf(text) ?? NaN).pipe(fraction)]);

/**
 * Keys that may be written as a percentage of another key of the same group. `spec` replaces these before a job is checked
 * (`percent.ts`), so their schemas only accept numbers.
 */
export const PERCENT_OF = z.registry<{ of: string }>();

/** Epochs of warm-up: a number, or a percentage of the epochs of the same recipe. */
export const warmup = z.number().nonnegative().register(PERCENT_OF, { of: 'epochs' });

/**
 * Keys with a value that means the same as an absent key: `none`, `false`, 0. A stage's configuration lacks such a key, so
 * identities are those of stages without it.
 */
export const OFF = z.registry<{ value: unknown }>();

/** An optional key that a value switches off. */
export function offAt<Schema extends z.ZodType>(value: z.input<Schema>, schema: Schema): z.ZodOptional<Schema> {
  // The registry has the wrapper, so that a mapping of the same keys without defaults does not switch them off by itself.
  const optional = schema.optional();
  OFF.add(optional, { value });
  return optional;
}

/** One value, or a list of values to choose from on validation images. */
export const oneOrMore = <Value extends z.ZodType>(value: Value) => z.union([value, z.array(value).min(1)]);

export const asList = <Value>(given: Value | Value[]): Value[] => (Array.isArray(given) ? given : [given]);

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
export const labelFraction = share(probability.gt(0))
  .optional()
  .describe('Fraction of the training labels, per class; data.labelFraction by default.');

type Inner<Schema extends z.ZodType> =
  Schema extends z.ZodDefault<infer Value extends z.ZodType>
    ? Inner<Value>
    : Schema extends z.ZodOptional<infer Value extends z.ZodType>
      ? Inner<Value>
      : Schema;

/** The same keys, all of them optional and without defaults: a mapping of values that replace others. */
export function withoutDefaults<Shape extends Readonly<Record<string, z.ZodType>>>(
  shape: Shape,
): { [Key in keyof Shape]: z.ZodOptional<Inner<Shape[Key]>> } {
  const optional = Object.entries(shape).map(([key, schema]) => {
    let inner: z.core.$ZodType = schema;
    while (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) inner = inner.unwrap();
    const described = (inner as z.ZodType).optional();
    return [key, schema.description === undefined ? described : described.describe(schema.description)];
  });
  return Object.fromEntries(optional) as { [Key in keyof Shape]: z.ZodOptional<Inner<Shape[Key]>> };
}
