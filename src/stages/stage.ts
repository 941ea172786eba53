/** The declaration of a kind of stage, and the result schema derived from it. */
import { z } from 'zod';
import { schemasOf, sinceRevision2, TIME, TRAIN_IMAGES, WORK, type Fields, type Metrics } from './fields.js';

/** What a stage trains. All weights: the stage writes a checkpoint, which its result names. */
export type Trains = 'all weights' | 'a head' | 'nothing';

/** The loss by which a stage is judged, and the level that it must fall below; both are keys of its numbers. */
export interface Baseline<Key extends string = string> {
  loss: Key;
  level: Key;
  /** The prediction that has this level, after `no better than`: `equal odds`. */
  name: string;
}

/** A kind of stage as data. */
export interface StageKindEntry {
  /** The name of the kind, which its recipe in a spec and the columns of its numbers have too. */
  name: string;
  /** The name in a sentence: `fine-tuning`. */
  title: string;
  trains: Trains;
  /** Every number of its result, in the order of the columns of `runs.csv`. */
  columns: Fields;
  /** The metrics that it measures; tables compare the first. Empty: the kind is not an evaluation. */
  metrics: Metrics;
  /** null: it has no training loss to judge. */
  baseline: Baseline | null;
}

/** The keys of every result in addition to its numbers. */
const COMMON = {
  /** Files that could not be decoded and were skipped. */
  corruptImages: z.array(z.string()),
  /** Files that the decoder warned of and that were used; undefined: of a version that did not look. */
  damagedImages: z.array(z.string()).optional(),
  /** Identity of the stage. */
  stage: sinceRevision2(z.string()),
  /** The pre-training from which it started, and the digest of that checkpoint (`store/safetensors.ts`); null: none. */
  parent: sinceRevision2(z.strictObject({ id: z.string(), sha256: z.string() })),
  /** Digest of the checkpoint that it wrote; null: it writes none. */
  checkpoint: sinceRevision2(z.string()),
};

/** What a result has beside what its kind measures; `training/run-stage.ts` adds it. */
export type FileKeys = 'damagedImages' | 'stage' | 'parent' | 'checkpoint';

/**
 * The schema of `result.json` for a kind of stage.
 *
 * @param numbers The numbers of the kind itself.
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
 * @param numbers The numbers of the kind itself.
 * @param tested Further numbers on the test images, after those of training.
 */
export function columnsOf(numbers: Fields, tested: Fields = {}): Fields {
  const corruptImages = {
    schema: z.int(),
    label: 'corrupt images',
    description: 'Files that could not be decoded and were skipped.',
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
