/** The declaration of a kind of stage, and the result schema derived from it. */
import { z } from 'zod';
import type { CorruptionName } from '../data/corruptions/index.js';
import type * as costs from '../spec/flops.js';
import type * as shapes from '../spec/shapes.js';
import { schemasOf, sinceRevision2, TIME, TRAIN_IMAGES, WORK, type Fields, type Metrics } from './fields.js';

/** The images that a stage computes with, each as often as it does. */
export interface StageImages {
  /** Of the training split, once. */
  train: number;
  /** Of all steps of its training; 0 without epochs. */
  steps: number;
  /** That it is measured on at its end, with their corruptions if these are measured. */
  test: number;
  classes: number;
}

/** The arithmetic of models. Entries receive it as an argument, since `spec` reads the entries. */
export type ModelArithmetic = typeof costs & typeof shapes;

/** FLOPs of a stage that trains the model in every step. */
export const trainingFlops = ({ training, forward }: costs.Cost, { steps, test }: StageImages): number =>
  training * steps + forward * test;

/** The content of a stage's checkpoint. */
export interface Checkpoint {
  /** Of all weights of the model that it trains. */
  shapes: shapes.Shapes;
  /** Groups of its optimisers (`training/optimizers`), with a tensor for each trained weight: 2 of AdamW. */
  groups: number;
  /** Whether it keeps the best weights so far in a second file. */
  keepsBest?: boolean;
}

/**
 * What a stage trains. All weights: the stage writes a checkpoint, which its result names.
 *
 * @typeParam Config Its configuration, with its recipe.
 */
export type Training<Config> =
  | {
      trains: 'all weights';
      /** @param classes Of its data set. */
      checkpoint(config: Config, classes: number, arithmetic: ModelArithmetic): Checkpoint;
      /**
       * Whether other programs have its model: the decoder of a pre-training, or a classifier with the weights of the
       * purpose `classification` (`spec/shapes.ts`). false: `vitmim export --weights` and `--onnx` refuse it.
       */
      exports: boolean;
    }
  | { trains: 'a head' | 'nothing' };

/** The picture `preview.png` that stages of a kind leave. The page shows one of each task. */
export interface Picture {
  /** The heading of its section: `Segmentations`. */
  title: string;
  /** Description of the picture, in whole sentences. */
  description: string;
  /** The parts of each row: `image, mask and prediction`. */
  columns: string;
}

/** A part of a measurement that a key of the recipe switches on. */
export interface OptionalMeasurement {
  /** The key. */
  key: string;
  /** Its value where the part is not measured; see `offAt`. */
  off: unknown;
  /** The metrics of this part, by their keys. Nothing else depends on the part. */
  metrics: readonly string[];
}

/** How a kind measures its model on the corrupted images. Its metrics then contain `meanError`. */
export interface CorruptionMeasurement<Config> {
  /** Absent: every stage of the kind measures them. */
  optional?: OptionalMeasurement;
  /** The model, in a table: `linear probe`. */
  model: string;
  /** Whether a stage measures them. */
  measured(config: Config): boolean;
  /** The key of the error on a corruption in its result: `error_fog`. */
  keyOf(name: CorruptionName): string;
}

/** The keys of a segmentation in the results of a kind, for `segmentation.csv`. */
export interface SegmentationKeys<Metric extends string = string, Detail extends string = string> {
  meanIou: Metric;
  pixelAccuracy: Metric;
  /** The intersection over union of each class, by its name; null for a class that does not count. */
  classIou: Detail;
}

/** The loss by which a stage is judged, and the level that it must fall below; both are keys of its numbers. */
export interface Baseline<Key extends string = string> {
  loss: Key;
  level: Key;
  /** The prediction that has this level, after `no better than`: `equal odds`. */
  name: string;
}

/**
 * A kind of stage as data. The methods of an entry accept only its own configurations: `spec/stage-work.ts` pairs the
 * two.
 */
export type StageKindEntry<Config = { kind: string }> = StageKindFacts<Config> & Training<Config>;

interface StageKindFacts<Config> {
  /** The name of the kind, which its recipe in a spec and the columns of its numbers have too. */
  name: string;
  /** The name in a sentence: `fine-tuning`. */
  title: string;
  /** FLOPs of the model in a whole stage (`spec/flops.ts`). */
  flops(config: Config, images: StageImages, arithmetic: ModelArithmetic): number;
  /** Absent: it leaves no picture. */
  picture?: Picture;
  /** Absent: it measures clean images only. */
  corruptions?: CorruptionMeasurement<Config>;
  /** Absent: it is no segmentation. */
  segmentation?: SegmentationKeys;
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

/** The fields of every result, beside those of its kind; `training/run-stage.ts` adds them. */
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
