/** Every kind of stage. To add an evaluation, add a file in this folder and a line here. */
import type { z } from 'zod';
import { namesOf, registry } from '../common/registry.js';
import { OFF } from '../common/values.js';
import type { EvaluationConfig, EvaluationEntry, ResolvedRecipe } from './evaluation.js';
import { attentive } from './attentive.js';
import { finetune } from './finetune.js';
import { knn } from './knn.js';
import { linear } from './linear.js';
import { pretrain } from './pretrain.js';
import { robustness } from './robustness.js';
import { segment } from './segment.js';
import type { StageKindEntry } from './stage.js';

export const EVALUATIONS = registry({
  finetune,
  linear,
  knn,
  robustness,
  attentive,
  segment,
});

/** The kinds of stages in the order in which a job runs them. */
export const STAGES = registry({ pretrain, ...EVALUATIONS });

type Evaluations = typeof EVALUATIONS;
export type Evaluation = keyof Evaluations;
export type StageKind = keyof typeof STAGES;

export const EVALUATION_NAMES = namesOf(EVALUATIONS);
export const STAGE_KINDS = namesOf(STAGES);

/** The common part of every kind's declaration, by name. */
export const STAGE_ENTRIES: Readonly<Record<StageKind, StageKindEntry>> = STAGES;
export const EVALUATION_ENTRIES: Readonly<Record<Evaluation, EvaluationEntry>> = EVALUATIONS;

/** The declaration of a stage's kind, whose methods accept the stage's configuration. */
export const entryOf = ({ kind }: { kind: StageKind }): StageKindEntry => STAGE_ENTRIES[kind];

/** Whether a finished stage of a kind has a checkpoint; its result then names it. */
export const leavesCheckpoint = (kind: StageKind): boolean => STAGE_ENTRIES[kind].trains === 'all weights';

/** The schema of each evaluation's recipe, by the key of a job. */
export type Recipes = { [Name in Evaluation]: Evaluations[Name]['recipe'] };

/** The recipe of each evaluation in a stage's configuration. */
export type ResolvedRecipes = {
  [Name in Evaluation]: ResolvedRecipe<Evaluations[Name]['recipe'], Evaluations[Name]['scratchKeys']>;
};

/** The configuration of one evaluation, or of any. */
export type EvaluationStageConfig<Name extends Evaluation = Evaluation> = {
  [Each in Name]: EvaluationConfig<Each, ResolvedRecipes[Each]>;
}[Name];

/** Whether a stage measures its model on the corruptions too. */
export const measuresCorruptions = (config: { kind: StageKind }): boolean =>
  entryOf(config).corruptions?.measured(config) === true;

/** The recipe of an evaluation in a job. */
export type RecipeOf<Name extends Evaluation> = z.output<Recipes[Name]>;

/** The recipes of all evaluations in a job. */
export type RecipeSpecs = { [Name in Evaluation]: RecipeOf<Name> };

/** Whether a value of a recipe's key means the same as an absent key. */
function isOff(name: Evaluation, key: string, value: unknown): boolean {
  const shape: Readonly<Record<string, z.core.$ZodType>> = EVALUATIONS[name].recipe.shape;
  const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
  return schema !== undefined && OFF.get(schema)?.value === value;
}

/**
 * Converts the recipe of a job to the recipe of its stage. Its `labelFraction` is not part of it: the data have it.
 * Keys that are off are left out.
 *
 * @param scratch Whether there is no pre-training.
 */
export function resolveRecipe<Name extends Evaluation>(
  name: Name,
  spec: object,
  scratch: boolean,
): ResolvedRecipes[Name] {
  const without: Record<string, unknown> = { labelFraction: 1, ...spec };
  const { labelFraction: _, scratch: ofScratch, ...values } = without;
  const keys = Object.entries(EVALUATION_ENTRIES[name].scratchKeys);
  const replaced = scratch ? keys.map(([key, ofScratchOnly]) => [key, values[ofScratchOnly]] as const) : [];
  const dropped = new Set(keys.map(([, ofScratchOnly]) => ofScratchOnly));
  const others = scratch ? Object.entries(ofScratch ?? {}) : [];
  const recipe = new Map([...Object.entries(values), ...replaced, ...others].filter(([key]) => !dropped.has(key)));
  return Object.fromEntries([...recipe].filter(([key, value]) => !isOff(name, key, value))) as ResolvedRecipes[Name];
}
