/** The numbers of a stage's result: the schema of each in `result.json`, and its form in tables and messages. */
import { z } from 'zod';
import { isMapping } from '../common/tree.js';

/** One number of a result. */
export interface ResultField<Schema extends z.ZodType<number | null> = z.ZodType<number | null>> {
  /** null: it was not measured. */
  schema: Schema;
  /** The heading of its column, after the kind of stage: `finetune loss`. */
  label: string;
  description: string;
  /** The unit of the column: `%`, `s`. */
  unit?: string;
  /** Decimals shown. */
  digits: number;
}

/** A unit, as written in tables and sentences. */
export interface Unit {
  /** `%` */
  symbol: string;
  /** `in percent`, after the name of the measured quantity. */
  words: string;
  /** The unit of a difference of two such numbers: `points`. */
  difference: string;
}

export const PERCENT: Unit = { symbol: '%', words: 'in percent', difference: 'points' };

/** A number by which encoders are compared. */
export interface Metric<Schema extends z.ZodType<number | null> = z.ZodType<number | null>> extends Omit<
  ResultField<Schema>,
  'unit'
> {
  /** The title on the axis of a chart: `Top-1`. */
  title: string;
  /** The name in a sentence: `top-1 accuracy`. */
  name: string;
  /** null: a plain number. */
  unit: Unit | null;
  better: 'higher' | 'lower';
  /** The tag of its curve in TensorBoard. */
  tag: string;
}

export type Fields = Readonly<Record<string, ResultField>>;
export type Metrics = Readonly<Record<string, Metric>>;

/** The schemas of some numbers, by key. */
export type SchemasOf<Some extends Readonly<Record<string, { schema: z.ZodType }>>> = {
  [Key in keyof Some]: Some[Key]['schema'];
};

export function schemasOf<Some extends Readonly<Record<string, { schema: z.ZodType }>>>(fields: Some): SchemasOf<Some> {
  const schemas = Object.entries(fields).map(([key, { schema }]) => [key, schema]);
  return Object.fromEntries(schemas) as SchemasOf<Some>;
}

/**
 * A number of a result by its key; for a list, its length; null if the result has no such number.
 *
 * @param key Of a number in a mapping, the key of the mapping, a dot and the name: `classIou.circle`.
 */
export function numberIn(result: Readonly<Record<string, unknown>>, key: string): number | null {
  const [outer, ...inner] = key.split('.');
  const mapping = result[outer!];
  const value = inner.length === 0 ? mapping : isMapping(mapping) ? mapping[inner.join('.')] : undefined;
  if (Array.isArray(value)) return value.length;
  return typeof value === 'number' ? value : null;
}

/** A number that is missing in results of engine revision 1. */
export const sinceRevision2 = <T extends z.ZodType>(schema: T) => schema.nullable().default(null as never);

// --- numbers that several kinds have -----------------------------------------------------------------------------------

/** The first numbers of every stage's result. */
export const WORK = {
  epochs: {
    schema: z.number().nonnegative(),
    label: 'epochs',
    description: 'Epochs done, after which the numbers were read.',
    digits: 0,
  },
  steps: { schema: z.int().nonnegative(), label: 'steps', description: 'Optimiser steps done.', digits: 0 },
} satisfies Fields;

export const TRAIN_IMAGES = {
  trainImages: { schema: z.int(), label: 'training images', description: 'Images trained on.', digits: 0 },
} satisfies Fields;

export const TEST_IMAGES = {
  testImages: { schema: z.int(), label: 'test images', description: 'Images tested on.', digits: 0 },
} satisfies Fields;

/** The last numbers of every stage's result. */
export const TIME = {
  imagesPerSecond: {
    schema: z.number().nullable(),
    label: 'images/s',
    description: 'Training images per second of the last attempt; empty if nothing was trained.',
    digits: 0,
  },
  seconds: { schema: z.number(), label: 'seconds', description: 'Time of the last attempt.', unit: 's', digits: 1 },
} satisfies Fields;

export const LOSS = { label: 'loss', description: 'Mean training loss of the last epoch.', digits: 4 };

export const FIRST_LOSS = {
  schema: sinceRevision2(z.number()),
  label: 'first loss',
  description: 'Training loss of the first step.',
  digits: 4,
} satisfies ResultField;

export const LARGEST_GRADIENT_NORM = {
  schema: sinceRevision2(z.number()),
  label: 'largest gradient norm',
  description: "Largest global L2 norm of a step's gradients, before clipping.",
  digits: 4,
} satisfies ResultField;

export const BATCH_SIZE = {
  schema: sinceRevision2(z.int().positive()),
  label: 'batch size',
  description: 'Images in a step: fewer than in the recipe if the data set has fewer.',
  digits: 0,
} satisfies ResultField;

/** Missing in results of versions that did not choose. */
export const BASE_LEARNING_RATE = {
  schema: z.number().positive().nullable().default(null),
  label: 'base learning rate',
  description: 'The base learning rate of the result: chosen on the validation images if the recipe lists several.',
  digits: 5,
} satisfies ResultField;

/** The loss of predicting equal odds for every class: the logarithm of the number of classes. */
export const CHANCE_LOSS = {
  schema: sinceRevision2(z.number()),
  label: 'chance loss',
  description: 'What predicting equal odds for every class scores.',
  digits: 4,
} satisfies ResultField;

/** The metrics of a classification. */
export const ACCURACY = {
  accuracy: {
    schema: z.number(),
    label: 'accuracy',
    title: 'Top-1',
    name: 'top-1 accuracy',
    description: 'Top-1 on the test set at the last epoch.',
    unit: PERCENT,
    digits: 2,
    better: 'higher',
    tag: 'accuracy/top-1',
  },
  top5: {
    schema: z.number().nullable(),
    label: 'top-5',
    title: 'Top-5',
    name: 'top-5 accuracy',
    description: 'Top-5 on the test set; empty with five classes or fewer.',
    unit: PERCENT,
    digits: 2,
    better: 'higher',
    tag: 'accuracy/top-5',
  },
  meanPerClass: {
    schema: z.number().nullable().default(null),
    label: 'mean per class',
    title: 'Mean per class',
    name: 'mean accuracy per class',
    description: 'Mean of the accuracies of the classes on the test set; empty in results of earlier versions.',
    unit: PERCENT,
    digits: 2,
    better: 'higher',
    tag: 'accuracy/mean-per-class',
  },
} satisfies Metrics;
