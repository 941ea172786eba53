/** The shape of `select`: which keys are chosen for each cell, among which values, on which seeds. */
import { z } from 'zod';
import { deferred } from '../common/deferred.js';
import { count } from '../common/values.js';
import { asWritten } from './key-nodes.js';
import { findKey, isListValued, jobKeys, numberKind, type KeyLeaf } from './keys.js';
import { rangeSchema, valuesOfRange } from './ranges.js';

/** On which images a cell with its chosen values is trained. */
export const TRAIN_ON = ['train+validation', 'train'] as const;
export type TrainOn = (typeof TRAIN_ON)[number];

/** An interval from which values are drawn. */
export interface ValueInterval {
  from: number;
  to: number;
  scale: 'linear' | 'log';
}

/** The values of a key: a list, or an interval to draw from. */
export type Choices = { kind: 'list'; values: unknown[] } | ({ kind: 'interval'; whole: boolean } & ValueInterval);

/** A checked `select`. */
export interface SelectSpec {
  by: string;
  over: Readonly<Record<string, Choices>>;
  seeds: number[];
  /** Random draws; undefined: all combinations. */
  trials?: number | undefined;
  drawSeed: number;
  train: TrainOn;
}

/**
 * Whether a key may be chosen. Those that make a cell what it is, and those of the data, are the same for all candidates.
 */
export const isSelectable = (key: string): boolean => key.includes('.') && !/(^|\.)data\./.test(key);

function choices(leaf: KeyLeaf): z.ZodType<Choices | undefined> {
  const value = asWritten(leaf);
  const many = z.array(value).min(1, 'expected at least one value');
  const kind = numberKind(leaf);
  const forms: z.core.$ZodType[] = [
    many,
    ...(isListValued(leaf) ? [] : [value]),
    ...(kind === null ? [] : [rangeSchema]),
  ];
  return z
    .union(forms)
    .transform((given, context): Choices => {
      const range = kind === null ? undefined : rangeSchema.safeParse(given);
      if (!range?.success) return { kind: 'list', values: Array.isArray(given) ? given : [given] };
      const { from, to, scale, step, count } = range.data;
      if (step === undefined && count === undefined) {
        const problem = from >= to ? 'from below to' : scale === 'log' && from <= 0 ? 'from above 0' : null;
        if (problem === null) return { kind: 'interval', whole: kind === 'integer', from, to, scale };
        context.addIssue({ code: 'custom', message: `expected ${problem}` });
        return z.NEVER;
      }
      const values = valuesOfRange(range.data, kind === 'integer');
      if (!('problem' in values)) return { kind: 'list', values };
      context.addIssue({ code: 'custom', message: values.problem });
      return z.NEVER;
    })
    .optional()
    .meta({ description: leaf.description });
}

const overSchema = deferred(() =>
  z.strictObject(
    Object.fromEntries(
      jobKeys()
        .filter(isSelectable)
        .flatMap((name) => {
          const leaf = findKey(name);
          return leaf?.kind === 'leaf' ? [[name, choices(leaf)]] : [];
        }),
    ),
  ),
);

export const selectSchema = deferred(() =>
  z
    .strictObject({
      by: z.string().min(1).describe('The metric that is compared on the validation images, such as finetune.'),
      over: overSchema().describe('The keys that are chosen, with their values: every combination is a candidate.'),
      seeds: z
        .array(z.int().nonnegative())
        .min(1, 'expected at least one seed')
        .refine((seeds) => new Set(seeds).size === seeds.length, 'expected each seed once')
        .describe('Seeds on which candidates are compared. No reported cell may have one of them.'),
      trials: count
        .optional()
        .describe('Number of candidates, drawn at random from the values; every combination by default.'),
      drawSeed: z.int().nonnegative().default(0).describe('Root of the random stream of these draws.'),
      train: z
        .enum(TRAIN_ON)
        .default('train+validation')
        .describe(
          'Training images of a cell with its chosen values: all training images, as for published numbers, or ' +
            'only those that the candidates were trained on.',
        ),
    })
    .describe('Hyper-parameters chosen for each cell on the validation images, with the same budget for every cell.'),
);
