/** What an evaluation is: one file that declares how pre-trained encoders are measured, and measures them. */
import { z } from 'zod';
import { TrainingError } from '../common/errors.js';
import type { Dataset } from '../data/split.js';
import { TARGET_NAMES, type TargetKind } from '../data/target.js';
import type { EncoderConfig } from '../spec/model.js';
import type { DataSpec } from '../spec/schema.js';
import type { StageContext } from '../training/stage-context.js';
import { TEST_IMAGES, type Fields, type Metrics } from './fields.js';
import { columnsOf, resultSchemaOf, type Baseline, type FileKeys, type StageKindEntry, type Trains } from './stage.js';

/** What an evaluation needs to know of each image. `nothing`: it runs on every data set. */
export type Needs = TargetKind;

/** The data sets that an evaluation can be given. */
export type DatasetFor<Needed extends Needs> = Needed extends 'nothing' ? Dataset : Dataset<Needed>;

/** What it runs with. */
export type EvaluationContext<Needed extends Needs = Needs> = StageContext<DatasetFor<Needed>>;

/**
 * Keys of a recipe that have another value where there is no pre-training, each with the key of that value:
 * `{ layerDecay: 'scratchLayerDecay' }`.
 */
export type ScratchKeys = Readonly<Record<string, string>>;

type NoKeys = Readonly<Record<string, never>>;

/**
 * A recipe as a stage has it: the values from scratch stand under their plain keys, and `labelFraction` belongs to the
 * data.
 */
export type ResolvedRecipe<Recipe extends z.ZodObject, Scratch extends ScratchKeys = NoKeys> = Omit<
  z.output<Recipe>,
  'labelFraction' | Scratch[keyof Scratch]
>;

/** All that decides the result of an evaluation, beside its parent. */
export interface EvaluationConfig<Name extends string, Recipe> {
  kind: Name;
  seed: number;
  data: DataSpec;
  model: EncoderConfig;
  recipe: Recipe;
}

/** What every evaluation declares, for code that handles all of them. */
export interface EvaluationEntry extends StageKindEntry {
  needs: Needs;
  scratchKeys: ScratchKeys;
}

/** The declaration of an evaluation; see {@link defineEvaluation}. */
export interface EvaluationDeclaration<
  Name extends string,
  Needed extends Needs,
  Recipe extends z.ZodObject,
  Measured extends Metrics,
  Numbers extends Fields,
  Scratch extends ScratchKeys,
> {
  /** As `evaluate` and `--metric` name it; its recipe is the key of the job of that name. */
  name: Name;
  /** In a sentence: `fine-tuning`. */
  title: string;
  needs: Needed;
  trains: Trains;
  /** The keys of its recipe with defaults and descriptions. A `labelFraction` overrides that of the data. */
  recipe: Recipe;
  scratchKeys?: Scratch;
  /** What it measures on the test set; tables compare the first. */
  metrics: Measured;
  /** Further numbers of its result. */
  numbers: Numbers;
  /** Leave it out where there is no training loss to judge. */
  baseline?: Baseline<Extract<keyof Numbers, string>>;
  /**
   * Measures. Every command loads this file, so that it imports nothing that loads TensorFlow.js: `run` imports what it
   * needs when it is called.
   *
   * @throws TrainingError, Interrupted
   */
  run(
    config: EvaluationConfig<Name, ResolvedRecipe<Recipe, Scratch>>,
    context: EvaluationContext<Needed>,
  ): Promise<ResultNumbers<Name, Measured, Numbers>>;
}

/** What `run` returns: the result without what is known of the stage's files alone. */
export type ResultNumbers<Name extends string, Measured extends Metrics, Numbers extends Fields> = Omit<
  z.output<ResultSchema<Name, Measured, Numbers>>,
  FileKeys
>;

type ResultSchema<Name extends string, Measured extends Metrics, Numbers extends Fields> = ReturnType<
  typeof resultSchemaOf<Name, Measured & Numbers & typeof TEST_IMAGES>
>;

/**
 * Makes an evaluation from its declaration. List it in `index.ts`: plans, results, progress, tables, `--metric`,
 * completion and the JSON Schema of specs follow from there.
 */
export function defineEvaluation<
  const Name extends string,
  Needed extends Needs,
  Recipe extends z.ZodObject,
  Measured extends Metrics,
  Numbers extends Fields,
  const Scratch extends ScratchKeys = NoKeys,
>(declaration: EvaluationDeclaration<Name, Needed, Recipe, Measured, Numbers, Scratch>) {
  const { name, needs, metrics, numbers, scratchKeys, baseline = null } = declaration;
  return {
    ...declaration,
    /**
     * Runs it on a data set that provides what it needs.
     *
     * @throws TrainingError where the data set does not; otherwise as `run` does.
     */
    async run(config: Parameters<typeof declaration.run>[0], context: StageContext) {
      const { dataset } = context;
      const lack = lackOf({ name, needs }, dataset);
      if (lack !== null) throw new TrainingError(lack);
      if (!provides(dataset, needs)) {
        throw new TrainingError(
          `${name} needs ${TARGET_NAMES[needs]}, which the data set ${dataset.name} does not provide`,
        );
      }
      return declaration.run(config, { ...context, dataset });
    },
    baseline,
    scratchKeys: scratchKeys ?? {},
    columns: columnsOf({ ...columnsOfMetrics(metrics), ...numbers }, TEST_IMAGES),
    result: resultSchemaOf(name, { ...metrics, ...numbers, ...TEST_IMAGES }),
  };
}

/** What an opened data set lacks for an evaluation, with the remedy; null: nothing. */
export function lackOf(
  { name, needs }: { name: string; needs: Needs },
  { name: data, classes, test }: Pick<Dataset, 'name' | 'classes' | 'test'>,
): string | null {
  if (needs === 'class' && classes.length === 0) {
    return (
      `${name} needs ${TARGET_NAMES.class}, and the images of ${data} have none; sort them into one folder per class, or ` +
      'set evaluate: [] to pre-train only'
    );
  }
  if (test.length > 0) return null;
  return (
    `${name} measures on a test set, and ${data} has none that fits its training images; add one (test/ or val/, or ` +
    'data.splits.test), or set evaluate: [] to pre-train only'
  );
}

function provides<Needed extends Needs>(dataset: Dataset, needed: Needed): dataset is Dataset & DatasetFor<Needed> {
  return needed === 'nothing' || dataset.targets === needed;
}

function columnsOfMetrics(metrics: Metrics): Fields {
  const columns = Object.entries(metrics).map(([key, { schema, label, description, unit, digits }]) => {
    return [key, { schema, label, description, digits, ...(unit === null ? {} : { unit: unit.symbol }) }] as const;
  });
  return Object.fromEntries(columns);
}
