/**
 * One validated job → its task, its model and the configurations of its stages; or why it cannot run. The checks here
 * concern several keys at once; `schema.ts` checks single keys.
 */
import { UsageError } from '../common/errors.js';
import { DATASET_ENTRIES } from '../data/registry.js';
import { TARGET_NAMES } from '../data/target.js';
import { validationOf, type Validation } from '../data/validation.js';
import {
  EVALUATION_ENTRIES,
  resolveRecipe,
  type Evaluation,
  type EvaluationStageConfig,
  type RecipeSpecs,
} from '../stages/index.js';
import type { Conflict } from '../task/entry.js';
import { resolveTask } from './cells.js';
import { jobKeys } from './keys.js';
import { keptTokens, modelSizes, patchCount, resolveModel, type ModelConfig, type ResolvedModel } from './model.js';
import type { JobSpec } from './schema.js';
import type { StageConfig, UnlabelledData } from './stages.js';
import { geometryEntry, maskEntry, maskOf, styleEntry, type Task } from './task.js';

export type ResolvedJob =
  | { kind: 'job'; task: Task | null; model: ResolvedModel }
  | { kind: 'contradiction'; reason: string }
  | { kind: 'impossible'; conflicts: Conflict[] };

/** Resolves a job and checks its numbers against each other. Only the stages of the job are checked. */
export function resolveJob(job: JobSpec): ResolvedJob {
  const model = modelOf(job);
  // Contradictions of the axes do not depend on the patch size, so they are reported for an invalid model too.
  const resolution = resolveTask(job, 'dim' in model ? model.patchSize : 1);
  if (resolution.kind === 'contradiction') return resolution;
  if (resolution.kind !== 'task' && job.evaluate.length === 0) {
    return {
      kind: 'contradiction',
      reason: 'scratch has no pre-training, and without an evaluation there is nothing to run',
    };
  }
  if (!('dim' in model)) return { kind: 'impossible', conflicts: [model, ...recipeConflicts(job)] };

  const task = resolution.kind === 'task' ? resolution.task : null;
  const conflicts = [
    ...recipeConflicts(job),
    ...targetConflicts(job),
    ...validationConflicts(job),
    ...(task === null ? [] : taskConflicts(task, model)),
  ];
  return conflicts.length > 0 ? { kind: 'impossible', conflicts } : { kind: 'job', task, model };
}

const MODEL_KEYS = jobKeys().filter((key) => key.startsWith('model.'));

function modelOf(job: JobSpec): ResolvedModel | Conflict {
  try {
    return resolveModel(job.model, job.data.imageSize);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { keys: [...MODEL_KEYS, 'data.imageSize'], message: error.message };
  }
}

// --- checks ----------------------------------------------------------------------------------------------------------

function recipeConflicts(job: JobSpec): Conflict[] {
  const scratch = job.objective === 'scratch';
  const recipes = [...(scratch ? [] : (['pretrain'] as const)), ...job.evaluate];
  return recipes.flatMap((name) => {
    const written = job[name];
    const ofScratch = scratch && 'scratch' in written ? numbersIn(written.scratch ?? {}) : {};
    const keyOf = (key: string): string => (key in ofScratch ? `${name}.scratch.${key}` : `${name}.${key}`);
    const { epochs, warmupEpochs, batchSize, accumulate, imageSize } = { ...numbersIn(written), ...ofScratch };
    const conflicts: Conflict[] = [];
    if (epochs !== undefined && warmupEpochs !== undefined && warmupEpochs >= epochs) {
      conflicts.push({
        keys: [keyOf('epochs'), keyOf('warmupEpochs')],
        message:
          `${keyOf('warmupEpochs')} (${warmupEpochs}) must be below ${keyOf('epochs')} (${epochs}); ` +
          `lower the warm-up, for instance to ${Math.ceil(epochs) / 10}`,
      });
    }
    if (accumulate !== undefined && batchSize !== undefined && batchSize % accumulate !== 0) {
      conflicts.push({
        keys: [keyOf('accumulate'), keyOf('batchSize')],
        message: `${keyOf('accumulate')} (${accumulate}) must divide ${keyOf('batchSize')} (${batchSize})`,
      });
    }
    const { patchSize } = modelSizes(job.model);
    if (imageSize !== undefined && imageSize % patchSize !== 0) {
      conflicts.push({
        keys: [keyOf('imageSize'), 'model.patchSize'],
        message: `patches of ${patchSize} px do not tile the images of ${keyOf('imageSize')} (${imageSize} px); choose a multiple of ${patchSize}`,
      });
    }
    return conflicts;
  });
}

/** The keys of a recipe that are numbers. */
function numbersIn(recipe: object): Readonly<Partial<Record<string, number>>> {
  return Object.fromEntries(
    Object.entries(recipe).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'number' ? [[key, value]] : [],
    ),
  );
}

/** Evaluations that need a target which the data set does not provide. */
function targetConflicts({ data, evaluate }: JobSpec): Conflict[] {
  const provided = DATASET_ENTRIES[data.name].targets;
  return evaluate.flatMap((name): Conflict[] => {
    const needed = EVALUATION_ENTRIES[name].needs;
    if (needed === 'nothing' || needed === provided) return [];
    const offer = provided === 'nothing' ? 'images alone' : TARGET_NAMES[provided];
    return [
      {
        keys: ['evaluate', 'data.name'],
        message: `${name} needs ${TARGET_NAMES[needed]}, and the data set ${data.name} provides ${offer}; choose another evaluation or data set`,
      },
    ];
  });
}

function validationConflicts({ data: { name, validation } }: JobSpec): Conflict[] {
  if (validation === undefined || !('folder' in validation) || DATASET_ENTRIES[name].hasFolders) return [];
  return [
    {
      keys: ['data.validation', 'data.name'],
      message: `the data set ${name} has no folders, so data.validation.folder cannot name one; set fraction or images instead`,
    },
  ];
}

function taskConflicts(task: Task, model: ModelConfig): Conflict[] {
  const mask = maskOf(task);
  return [
    maskRatioConflict(task, model),
    maskEntry(mask).conflict?.(mask, model),
    geometryEntry(task.geometry).conflict?.(task.geometry, model),
    styleEntry(task.style).conflict?.(task.style, model),
  ].filter((conflict) => conflict !== undefined);
}

function maskRatioConflict({ maskRatio }: Task, model: ModelConfig): Conflict | undefined {
  const tokens = patchCount(model);
  if (maskRatio === 0 || keptTokens(tokens, maskRatio) < tokens) return undefined;
  return {
    keys: ['maskRatio', 'model.patchSize', 'data.imageSize'],
    message: `maskRatio ${maskRatio} removes none of the ${tokens} tokens of an image; raise it, or use smaller patches`,
  };
}

// --- stages ----------------------------------------------------------------------------------------------------------

/** The configuration of the pre-training. */
export function pretrainConfig(job: JobSpec, { scratchInit, ...model }: ResolvedModel, task: Task): StageConfig {
  // The target is part of the task.
  const { target, ...recipe } = job.pretrain;
  const { validation, ...images } = withoutLabels(job);
  const data = withValidation(images, validationOf(validation, validation?.pretrain === 'include'));
  return { kind: 'pretrain', seed: job.seed, data, model, task, recipe };
}

/**
 * The configuration of one evaluation. It does not include the decoder, which only pre-training uses.
 *
 * The `labelFraction` of a recipe replaces that of the data.
 */
export function evaluationConfig<Name extends Evaluation>(
  kind: Name,
  job: JobSpec,
  { decoder, scratchInit, ...encoder }: ResolvedModel,
): EvaluationStageConfig<Name> {
  const scratch = job.objective === 'scratch';
  const init = scratch ? scratchInit : encoder.init;
  const specs: RecipeSpecs = job;
  const { labelFraction = job.data.labelFraction, recipe } = resolveRecipe(kind, specs[kind], scratch);
  const { imageSize = encoder.imageSize } = numbersIn(recipe);
  const { validation, ...images } = { ...job.data, labelFraction };
  const data = withValidation(images, validationOf(validation, false));
  return { kind, seed: job.seed, data, model: { ...encoder, imageSize, init }, recipe };
}

function withValidation<Data extends object>(data: Data, validation: Validation | undefined) {
  return validation === undefined ? data : { ...data, validation };
}

/** The configurations of all stages of a job, the pre-training first. */
export function stageConfigs(job: JobSpec, model: ResolvedModel, task: Task | null): StageConfig[] {
  const evaluations = job.evaluate.map((name) => evaluationConfig(name, job, model));
  return task === null ? evaluations : [pretrainConfig(job, model, task), ...evaluations];
}

/** The images of a job, without the choice of labels. */
export function withoutLabels({ data }: JobSpec): UnlabelledData {
  const { labelFraction, ...images } = data;
  return images;
}
