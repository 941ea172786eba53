/**
 * One validated job → what it runs: its task, its model and the configurations of its stages; or why it cannot run.
 * Checks here concern several keys at once; single keys are checked by `schema.ts`.
 */
import { UsageError } from '../common/errors.js';
import { DATASET_ENTRIES } from '../data/registry.js';
import { TARGET_NAMES } from '../data/target.js';
import {
  EVALUATION_ENTRIES,
  resolveRecipe,
  type Evaluation,
  type EvaluationStageConfig,
  type RecipeSpecs,
} from '../stages/index.js';
import { resolveTask } from './cells.js';
import { jobKeys } from './keys.js';
import { keptTokens, patchCount, resolveModel, type ModelConfig, type ResolvedModel } from './model.js';
import type { JobSpec } from './schema.js';
import { contentSize, outerFieldSize, windowSize } from './sizes.js';
import type { StageConfig, UnlabelledData } from './stages.js';
import type { Task } from './task.js';

/** Keys that cannot go together, the one to change first coming first. */
export interface Conflict {
  keys: readonly string[];
  message: string;
}

export type ResolvedJob =
  | { kind: 'job'; task: Task | null; model: ResolvedModel }
  | { kind: 'contradiction'; reason: string }
  | { kind: 'impossible'; conflicts: Conflict[] };

/** Resolves a job and checks its numbers against each other. Stages that the job does not have are not checked. */
export function resolveJob(job: JobSpec): ResolvedJob {
  const model = modelOf(job);
  // Whether the axes contradict each other does not hang on the patch size, so that it is known for a broken model too.
  const resolution = resolveTask(job, 'dim' in model ? model.patchSize : 1);
  if (resolution.kind === 'contradiction') return resolution;
  if (!('dim' in model)) return { kind: 'impossible', conflicts: [model, ...recipeConflicts(job)] };

  const task = resolution.kind === 'task' ? resolution.task : null;
  const conflicts = [
    ...recipeConflicts(job),
    ...targetConflicts(job),
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
  const recipes = [...(job.objective === 'scratch' ? [] : (['pretrain'] as const)), ...job.evaluate];
  return recipes.flatMap((name) => {
    const { epochs, warmupEpochs, batchSize, accumulate } = numbersIn(job[name]);
    const conflicts: Conflict[] = [];
    if (epochs !== undefined && warmupEpochs !== undefined && warmupEpochs >= epochs) {
      conflicts.push({
        keys: [`${name}.epochs`, `${name}.warmupEpochs`],
        message:
          `${name}.warmupEpochs (${warmupEpochs}) must be below ${name}.epochs (${epochs}); ` +
          `lower the warm-up, for instance to ${Math.ceil(epochs) / 10}`,
      });
    }
    if (accumulate !== undefined && batchSize !== undefined && batchSize % accumulate !== 0) {
      conflicts.push({
        keys: [`${name}.accumulate`, `${name}.batchSize`],
        message: `${name}.accumulate (${accumulate}) must divide ${name}.batchSize (${batchSize})`,
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

/** Evaluations that need more of the images than the data set provides. */
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

function taskConflicts(task: Task, model: ModelConfig): Conflict[] {
  return [maskConflict(task, model), geometryConflict(task, model), styleConflict(task, model)].filter(
    (conflict) => conflict !== undefined,
  );
}

function maskConflict({ maskRatio }: Task, model: ModelConfig): Conflict | undefined {
  const tokens = patchCount(model);
  if (maskRatio === 0 || keptTokens(tokens, maskRatio) < tokens) return undefined;
  return {
    keys: ['maskRatio', 'model.patchSize', 'data.imageSize'],
    message: `maskRatio ${maskRatio} removes none of the ${tokens} tokens of an image; raise it, or use smaller patches`,
  };
}

/** A zoom must come to whole pixels that differ from the image's. */
function geometryConflict({ geometry }: Task, { imageSize }: ModelConfig): Conflict | undefined {
  if (geometry.kind === 'none' || geometry.kind === 'distorted') return undefined;
  const key = geometry.kind === 'zoomed-in' ? 'degradation.zoomedIn' : 'degradation.zoomedOut';
  if ('centreWeight' in geometry && geometry.centreWeight + geometry.borderWeight === 0) {
    return {
      keys: [`${key}.centreWeight`, `${key}.borderWeight`],
      message: `${key}.centreWeight and borderWeight are both 0, which leaves no loss; raise one`,
    };
  }
  try {
    if (geometry.kind === 'zoomed-out') contentSize(geometry.fraction, imageSize);
    else if (geometry.loss === 'field') windowSize(geometry.fraction, imageSize);
    else outerFieldSize(geometry.fraction, imageSize);
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { keys: [`${key}.fraction`, 'data.imageSize'], message: error.message };
  }
}

function styleConflict({ style }: Task, { imageSize }: ModelConfig): Conflict | undefined {
  if (style.kind !== 'blurred' || style.kernelSize <= imageSize) return undefined;
  return {
    keys: ['degradation.blurred.kernelSize', 'model.patchSize', 'data.imageSize'],
    message: `a blur kernel of ${style.kernelSize} px is larger than images of ${imageSize} px; lower degradation.blurred.kernelSize`,
  };
}

// --- stages ----------------------------------------------------------------------------------------------------------

/** The configuration of the pre-training. */
export function pretrainConfig(job: JobSpec, { scratchInit, ...model }: ResolvedModel, task: Task): StageConfig {
  // The target is part of the task.
  const { target, ...recipe } = job.pretrain;
  return { kind: 'pretrain', seed: job.seed, data: withoutLabels(job), model, task, recipe };
}

/**
 * The configuration of one evaluation. It does not hold the decoder: that belongs to the pre-training.
 *
 * What a recipe calls `labelFraction` replaces that of the data.
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
  return { kind, seed: job.seed, data: { ...job.data, labelFraction }, model: { ...encoder, init }, recipe };
}

/** The images of a job, whatever is done with their labels. */
export function withoutLabels({ data }: JobSpec): UnlabelledData {
  const { labelFraction, ...images } = data;
  return images;
}
