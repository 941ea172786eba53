/**
 * The entries of `evaluate`, and data sets that replace `data` for a part of a job. An entry has a name, a protocol (a
 * kind of evaluation), and the keys in which it differs from the recipe of its protocol in the job.
 */
import { z } from 'zod';
import { count, labelFraction } from '../common/values.js';
import { DATA_KEYS } from '../data/entry.js';
import { DATASETS, type DatasetName } from '../data/registry.js';
import type { EvaluationEntry } from '../stages/evaluation.js';
import { EVALUATION_NAMES, EVALUATIONS, type Evaluation } from '../stages/index.js';
import { groupOf, unsettableShape } from './key-nodes.js';

// --- data ------------------------------------------------------------------------------------------------------------

/** A whole data set that replaces `data`. Without a size of its own, its images are resized to the job's. */
export type OwnData = {
  [Name in DatasetName]: Omit<z.output<(typeof DATASETS)[Name]['schema']>, 'imageSize' | 'labelFraction'> & {
    imageSize?: number;
    labelFraction?: number;
  };
}[DatasetName];

const imageSize = DATA_KEYS.imageSize.optional().describe('Side of the square images; must be the same as in the job.');

/** The schema of each data set with its name required, so that no key is of `shapes` by mistake. */
function ownDataOf(labels: z.core.$ZodShape): z.ZodDiscriminatedUnion {
  const schemas = Object.entries<{ schema: z.ZodObject }>(DATASETS).map(([name, { schema }]) => {
    const { labelFraction: _, ...keys } = schema.shape;
    const own: z.ZodObject = z.strictObject({
      ...keys,
      name: z.literal(name).describe('The data set.'),
      imageSize,
      ...labels,
    });
    return schema.description === undefined ? own : own.describe(schema.description);
  });
  return z.discriminatedUnion('name', schemas as [z.ZodObject, ...z.ZodObject[]]);
}

/** `pretrain.data` */
export const pretrainDataSchema = ownDataOf({}) as unknown as z.ZodType<OwnData>;

/** `data` of an entry of `evaluate`. */
const entryDataSchema = ownDataOf({
  labelFraction: labelFraction
    .unwrap()
    .optional()
    .describe('Fraction of its training labels, per class; 1 by default.'),
}).meta({ id: 'evaluationData' });

// --- entries ---------------------------------------------------------------------------------------------------------

/** Names of entries are values of `--metric` and beginnings of columns; a dot separates them from other metrics. */
export const ENTRY_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const NAME_RULE = 'expected letters, digits, "_" and "-", beginning with a letter';

/** The longest name of an entry. */
const MOST_NAME = 60;

/** The most repeats of an evaluation. */
export const MOST_REPEATS = 100;

/** The keys of every entry besides those of its protocol's recipe. */
export const ENTRY_KEYS = {
  name: z
    .string()
    .regex(ENTRY_NAME, NAME_RULE)
    .max(MOST_NAME, `expected at most ${MOST_NAME} characters`)
    .optional()
    .describe('Its name in tables and --metric; the protocol by default.'),
  data: entryDataSchema
    .optional()
    .describe("The data set on which it trains and is measured; the job's by default. A whole data set, not merged."),
  labelFraction: labelFraction
    .unwrap()
    .nullable()
    .optional()
    .describe('Fraction of the training labels, per class, drawn by the seed; null: the fraction of the data.'),
  shots: count
    .optional()
    .describe('Training images of each class, drawn by the seed: a few-shot evaluation. Instead of labelFraction.'),
  repeats: count
    .max(MOST_REPEATS)
    .optional()
    .describe(
      'Runs of the evaluation for each pre-training, each with its own seed for all draws; tables average them (1).',
    ),
  /** The values are the metrics of the protocol; see {@link entrySchemas}. */
  metric: z
    .string()
    .optional()
    .describe(
      'The key of its metric in transfer.csv and its chart. By default the metric of the report if the evaluation has it, ' +
        'else its first metric. No stage depends on it.',
    ),
};

/** One entry of `evaluate` as an object. Its other keys are of the recipe of its protocol. */
export interface EntrySpec {
  name?: string;
  protocol: Evaluation;
  data?: OwnData;
  labelFraction?: number | null;
  shots?: number;
  repeats?: number;
  metric?: string;
  [recipeKey: string]: unknown;
}

/** Keys of an entry that are not of a recipe. */
export const isEntryKey = (key: string): boolean => key === 'protocol' || Object.hasOwn(ENTRY_KEYS, key);

type Described = Pick<EvaluationEntry, 'title' | 'metrics'> & { name: Evaluation; recipe: z.ZodObject };

const entrySchemas = Object.values<Described>(EVALUATIONS).map(({ name, title, recipe, metrics }): z.ZodObject =>
  z
    .strictObject({
      ...unsettableShape(groupOf(recipe)),
      protocol: z.literal(name).describe('The kind of evaluation.'),
      ...ENTRY_KEYS,
      metric: z
        .enum(Object.keys(metrics))
        .optional()
        .describe(ENTRY_KEYS.metric.description ?? ''),
    })
    .describe(`An evaluation by ${title}; its recipe keys override those of job.${name}, and null unsets one.`),
);

const entrySchema = z.union([
  z.enum(EVALUATION_NAMES),
  // With the ids, the JSON Schema has one definition for several uses.
  z.discriminatedUnion('protocol', entrySchemas as [z.ZodObject, ...z.ZodObject[]]).meta({ id: 'evaluation' }),
]) as unknown as z.ZodType<Evaluation | EntrySpec>;

/** The name of an entry as written. */
export const nameOf = (entry: Evaluation | EntrySpec): string =>
  typeof entry === 'string' ? entry : (entry.name ?? entry.protocol);

/** `evaluate` */
export const evaluateSchema = z.array(entrySchema).superRefine((entries, context) => {
  const known = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    const name = nameOf(entry);
    const path = typeof entry === 'object' && entry.name !== undefined ? [index, 'name'] : [index];
    const same = known.get(name.toLowerCase());
    if (same === undefined) known.set(name.toLowerCase(), `evaluate[${index}] has the name ${name}`);
    else {
      context.addIssue({ code: 'custom', path, message: `${same} already; give each evaluation a name of its own` });
    }
    if (typeof entry === 'string') continue;
    const reserved: readonly string[] = ['pretrain', ...EVALUATION_NAMES];
    if (name !== entry.protocol && reserved.includes(name)) {
      const message = `${name} is the name of another kind of stage; choose another name`;
      context.addIssue({ code: 'custom', path, message });
    }
    if (entry.shots !== undefined && (entry.labelFraction ?? entry.data?.labelFraction) !== undefined) {
      const message = 'shots and labelFraction exclude each other; remove one of them';
      context.addIssue({ code: 'custom', path: [index, 'shots'], message });
    }
  }
});
