/** The declaration of an evaluation: one file declares how pre-trained encoders are measured, and measures them. */
import { z } from 'zod';
import { TrainingError } from '../common/errors.js';
import { stream } from '../common/random.js';
import { fewerThan, type Dataset } from '../data/split.js';
import { TARGET_NAMES, type TargetKind } from '../data/target.js';
import type { EncoderConfig } from '../spec/model.js';
import type { DataSpec } from '../spec/schema.js';
import type { WeightsInput } from '../spec/stages.js';
import type { StageContext } from '../training/stage-context.js';
import { TEST_IMAGES, type Fields, type Metrics } from './fields.js';
import {
  columnsOf,
  resultSchemaOf,
  type Baseline,
  type CorruptionMeasurement,
  type FileKeys,
  type ModelArithmetic,
  type Picture,
  type SegmentationKeys,
  type StageImages,
  type StageKindEntry,
  type Training,
} from './stage.js';

/** The target that an evaluation needs with each image. `nothing`: it runs on every data set. */
export type NeededTarget = TargetKind;

/** The data sets on which an evaluation can run. */
export type DatasetFor<Needed extends NeededTarget> = Needed extends 'nothing' ? Dataset : Dataset<Needed>;

/** The context of an evaluation's run. */
export type EvaluationContext<Needed extends NeededTarget = NeededTarget> = StageContext<DatasetFor<Needed>>;

/**
 * Keys of a recipe that have another value without pre-training, each with the key of that value:
 * `{ layerDecay: 'scratchLayerDecay' }`.
 */
export type ScratchKeys = Readonly<Record<string, string>>;

type NoKeys = Readonly<Record<string, never>>;

/** Values of a result that are no single number, such as a number for each class. */
export type Details = Readonly<Record<string, { schema: z.ZodType }>>;

/** An evaluation without them. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- no keys is what is meant
export type NoDetails = Pick<Details, never>;

/**
 * A recipe in a stage's configuration: the values for training from scratch are under the plain keys, also those of the
 * mapping `scratch`, and `labelFraction` is a property of the data.
 */
export type ResolvedRecipe<Recipe extends z.ZodObject, Scratch extends ScratchKeys = NoKeys> = Omit<
  z.output<Recipe>,
  'labelFraction' | 'scratch' | Scratch[keyof Scratch]
>;

/** All that determines the result of an evaluation, in addition to its parent. */
export interface EvaluationConfig<Name extends string, Recipe> {
  kind: Name;
  seed: number;
  data: DataSpec;
  /** The images that it measures on; absent: the test set. */
  split?: 'validation';
  model: EncoderConfig;
  recipe: Recipe;
  /** Training images of each class; absent: the `labelFraction` of the data. */
  shots?: number;
  /**
   * Which of its repeats, from 1; absent for the first, so that it has the identity of an evaluation without repeats.
   */
  repeat?: number;
  /**
   * Present if the images have another size than those of the pre-training: its position table is resampled. Earlier
   * versions ran stages without this key, with a table that was computed anew.
   */
  positions?: 'resampled';
  /** The weights that stand in place of a pre-training; absent: none do. */
  weights?: WeightsInput;
}

/**
 * The root of the random streams of a repeat of an evaluation. The first repeat has the seed of the run; the other ones
 * draw everything anew: labels, the initial weights of the head, batches and augmentations.
 */
export function seedOf({ seed, repeat = 0 }: { seed: number; repeat?: number }): number {
  return repeat === 0 ? seed : stream(seed, 'repeat', repeat).uint32();
}

/** An evaluation with its model and the number of images that it trains on. */
export interface ImagesUsed {
  /** Its name in `evaluate`. */
  name: string;
  model: Pick<EncoderConfig, 'imageSize' | 'patchSize' | 'dim'>;
  /** Training images of which it uses the label, including validation images that it trains on. */
  trainImages: number;
}

/** The common part of all evaluation declarations, for code that handles any of them. */
export type EvaluationEntry = StageKindEntry & {
  needs: NeededTarget;
  scratchKeys: ScratchKeys;
  choices: readonly string[];
  problemOf?: (used: ImagesUsed) => string | null;
};

/** The declaration of an evaluation; see {@link defineEvaluation}. */
interface EvaluationDeclaration<
  Name extends string,
  Needed extends NeededTarget,
  Recipe extends z.ZodObject,
  Measured extends Metrics,
  Numbers extends Fields,
  Scratch extends ScratchKeys,
  More extends Details,
> {
  /** The name in `evaluate` and `--metric`; its recipe is the key of the job with this name. */
  name: Name;
  /** The name in a sentence: `fine-tuning`. */
  title: string;
  needs: Needed;
  /** The keys of its recipe with defaults and descriptions. A `labelFraction` overrides the fraction of the data. */
  recipe: Recipe;
  scratchKeys?: Scratch;
  /** Keys of its recipe that may list several values, of which the best on the validation images counts. */
  choices?: readonly Extract<keyof z.output<Recipe>, string>[];
  /**
   * Why it cannot train on so many images, with the remedy; null: it can. Omitted: any number. Asked when the plan is
   * made.
   */
  problemOf?: (used: ImagesUsed) => string | null;
  /** The metrics that it measures; tables compare the first. */
  metrics: Measured;
  /** Further numbers of its result. */
  numbers: Numbers;
  /** Values of its result that are no single number. No table has them by itself. */
  details?: More;
  /** Omitted if there is no training loss to judge. */
  baseline?: Baseline<Extract<keyof Numbers, string>>;
  /** FLOPs of the model in a whole stage (`spec/flops.ts`): plans estimate times from them. */
  flops(
    config: EvaluationConfig<Name, ResolvedRecipe<Recipe, Scratch>>,
    images: StageImages,
    arithmetic: ModelArithmetic,
  ): number;
  /** Omitted if it leaves no `preview.png`. */
  picture?: Picture;
  /** Omitted if it measures clean images only. */
  corruptions?: CorruptionMeasurement<EvaluationConfig<Name, ResolvedRecipe<Recipe, Scratch>>>;
  /** Omitted if it is no segmentation. */
  segmentation?: SegmentationKeys<Extract<keyof Measured, string>, Extract<keyof More, string>>;
  /**
   * Runs the evaluation. Every command loads the file of the declaration, which must therefore not import
   * TensorFlow.js: `run` imports what it needs when it is called.
   *
   * @throws TrainingError, Interrupted
   */
  run(
    config: EvaluationConfig<Name, ResolvedRecipe<Recipe, Scratch>>,
    context: EvaluationContext<Needed>,
  ): Promise<ResultNumbers<Name, Measured, Numbers, More>>;
}

/** The return value of `run`: the result without the values that follow from the stage's files. */
export type ResultNumbers<
  Name extends string,
  Measured extends Metrics,
  Numbers extends Fields,
  More extends Details = NoDetails,
> = Omit<z.output<ResultSchema<Name, Measured, Numbers, More>>, FileKeys>;

type ResultSchema<
  Name extends string,
  Measured extends Metrics,
  Numbers extends Fields,
  More extends Details,
> = ReturnType<typeof resultSchemaOf<Name, Measured & Numbers & More & typeof TEST_IMAGES>>;

/**
 * Creates an evaluation from its declaration. List it in `index.ts`; plans, results, progress, tables, `--metric`,
 * completion and the JSON Schema of specs are derived from there.
 */
export function defineEvaluation<
  const Name extends string,
  Needed extends NeededTarget,
  Recipe extends z.ZodObject,
  Measured extends Metrics,
  Numbers extends Fields,
  const Scratch extends ScratchKeys = NoKeys,
  More extends Details = NoDetails,
>(
  declaration: EvaluationDeclaration<Name, Needed, Recipe, Measured, Numbers, Scratch, More> &
    Training<EvaluationConfig<Name, ResolvedRecipe<Recipe, Scratch>>>,
) {
  const { name, needs, metrics, numbers, details, scratchKeys, baseline = null } = declaration;
  return {
    ...declaration,
    /**
     * Runs it on a data set that provides the targets it needs.
     *
     * @throws TrainingError if the data set does not; otherwise as `run`.
     */
    async run(config: Parameters<typeof declaration.run>[0], context: StageContext) {
      const { dataset } = context;
      const lack = lackOf({ name, needs }, dataset, config.split);
      if (lack !== null) throw new TrainingError(lack);
      if (!provides(dataset, needs)) {
        throw new TrainingError(
          `${name} needs ${TARGET_NAMES[needs]}, which the data set ${dataset.name} does not provide`,
        );
      }
      return declaration.run({ ...config, seed: seedOf(config) }, { ...context, dataset });
    },
    baseline,
    scratchKeys: scratchKeys ?? {},
    choices: declaration.choices ?? [],
    columns: columnsOf({ ...columnsOfMetrics(metrics), ...numbers }, TEST_IMAGES),
    result: resultSchemaOf<Name, Measured & Numbers & More & typeof TEST_IMAGES>(name, {
      ...metrics,
      ...numbers,
      ...details!, // without details, it has no keys to be missed
      ...TEST_IMAGES,
    }),
  };
}

/**
 * The part that an opened data set lacks for an evaluation, with the remedy; null: none.
 *
 * @param evaluation Its name in `evaluate`, what it needs, and the training images of each class that it uses.
 * @param split What it measures on; undefined: the test set.
 */
export function lackOf(
  { name, needs, shots }: { name: string; needs: NeededTarget; shots?: number | undefined },
  { name: data, classes, train, test, validation }: Pick<Dataset, 'name' | 'classes' | 'train' | 'test' | 'validation'>,
  split?: 'validation',
): string | null {
  if (needs === 'class' && classes.length === 0) {
    return (
      `${name} needs ${TARGET_NAMES.class}, and the images of ${data} have none; sort them into one folder per class, or ` +
      'set evaluate: [] to pre-train only'
    );
  }
  const few = shots === undefined ? null : fewerThan(shots, train.labels, classes.length);
  if (few !== null) {
    const images = few.images === 1 ? '1 training image' : `${few.images} training images`;
    return (
      `${name} takes ${shots} shots of each class, and class ${classes[few.label]!} of ${data} has ${images}; ` +
      `lower shots to ${few.images}, or use more images of the data set`
    );
  }
  if (split === 'validation') {
    return validation !== undefined
      ? null
      : `${name} measures on validation images, and ${data} has none; set data.validation`;
  }
  if (test.length > 0) return null;
  return (
    `${name} measures on a test set, and ${data} has none that fits its training images; add one (test/ or val/, or ` +
    'data.splits.test), or set evaluate: [] to pre-train only'
  );
}

function provides<Needed extends NeededTarget>(
  dataset: Dataset,
  needed: Needed,
): dataset is Dataset & DatasetFor<Needed> {
  return needed === 'nothing' || dataset.targets === needed;
}

function columnsOfMetrics(metrics: Metrics): Fields {
  const columns = Object.entries(metrics).map(([key, { schema, label, description, unit, digits }]) => {
    return [key, { schema, label, description, digits, ...(unit === null ? {} : { unit: unit.symbol }) }] as const;
  });
  return Object.fromEntries(columns);
}
