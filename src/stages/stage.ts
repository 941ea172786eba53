/** What every kind of stage declares, and the result that follows from it. */
import { z } from 'zod';
import { schemasOf, sinceRevision2, TIME, TRAIN_IMAGES, WORK, type Fields, type Metrics } from './fields.js';

/** What a stage trains. All weights: the stage leaves a checkpoint, which its result names. */
export type Trains = 'all weights' | 'a head' | 'nothing';

/** The loss that a stage is judged by, and the level that it must fall below; both are keys of its numbers. */
export interface Baseline<Key extends string = string> {
  loss: Key;
  level: Key;
  /** Of the prediction that has this level, after `no better than`: `equal odds`. */
  name: string;
}

/** A kind of stage as data. */
export interface StageKindEntry {
  /** The name of the kind: of its recipe in a spec, and of the columns of its numbers. */
  name: string;
  /** In a sentence: `fine-tuning`. */
  title: string;
  trains: Trains;
  /** Every number of its result, in the order of the columns of `runs.csv`. */
  columns: Fields;
  /** What it measures on the test set; tables compare the first. Empty: it is no evaluation. */
  metrics: Metrics;
  /** null: it has no training loss to judge. */
  baseline: Baseline | null;
}

/** What every result has beside its numbers. */
const COMMON = {
  /** Files that could not be decoded and were passed over. */
  corruptImages: z.array(z.string()),
  /** Files that the decoder warned of and that were used; undefined: of a version that did not look. */
  damagedImages: z.array(z.string()).optional(),
  /** Identity of the stage. */
  stage: sinceRevision2(z.string()),
  /** The pre-training that it started from, and the digest of that checkpoint (`store/safetensors.ts`); null: none. */
  parent: sinceRevision2(z.strictObject({ id: z.string(), sha256: z.string() })),
  /** Digest of the checkpoint that it left; null: it leaves none. */
  checkpoint: sinceRevision2(z.string()),
};

/** What a result has beside what its kind measures; `training/run-stage.ts` adds it. */
export type FileKeys = 'damagedImages' | 'stage' | 'parent' | 'checkpoint';

/**
 * The schema of `result.json` for a kind of stage.
 *
 * @param numbers Those of the kind itself.
 */
export function resultSchemaOf<
  const Name extends string,
  Numbers extends Readonly<Record<string, { schema: z.ZodType }>>,
>(name: Name, numbers: Numbers) {
  return z.strictObject({
    kind: z.literal(name),
    ...schemasOf(WORK),
    ...schemasOf(TRAIN_IMAGES),
    ...schemasOf(TIME),
    ...COMMON,
    ...schemasOf(numbers),
  });
}

/**
 * All numbers of a stage in the order of their columns.
 *
 * @param numbers Those of the kind itself.
 * @param tested Further numbers on the images it read, after those of training.
 */
export function columnsOf(numbers: Fields, tested: Fields = {}): Fields {
  const corruptImages = {
    schema: z.int(),
    label: 'corrupt images',
    description: 'Files that could not be decoded and were passed over.',
    digits: 0,
  };
  const damagedImages = {
    schema: z.int(),
    label: 'damaged images',
    description: 'Files that the decoder warned of and that were used.',
    digits: 0,
  };
  return { ...numbers, ...WORK, ...TRAIN_IMAGES, ...tested, corruptImages, damagedImages, ...TIME };
}
