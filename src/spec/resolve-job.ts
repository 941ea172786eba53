/**
 * One validated job → its task and its model; or why it cannot run. The checks here concern several keys at once;
 * `schema.ts` checks single keys.
 */
import { UsageError } from '../common/errors.js';
import { isMapping } from '../common/tree.js';
import { DATASET_ENTRIES, targetsOf } from '../data/registry.js';
import { TARGET_NAMES } from '../data/target.js';
import { EVALUATION_ENTRIES } from '../stages/index.js';
import { missingKeyOf } from '../stages/metrics.js';
import type { Conflict } from '../task/entry.js';
import { resolveTask } from './cells.js';
import { entriesOf, pretrainData } from './entries.js';
import { hasPretraining, labelsOf, numbersIn } from './jobs.js';
import { jobKeys } from './keys.js';
import { keptTokens, modelSizes, patchCount, resolveModel, type ModelConfig, type ResolvedModel } from './model.js';
import type { JobSpec } from './schema.js';
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
      reason: `${resolution.kind} has no pre-training, and without an evaluation there is nothing to run`,
    };
  }
  if (!('dim' in model)) return { kind: 'impossible', conflicts: [model, ...recipeConflicts(job)] };

  const task = resolution.kind === 'task' ? resolution.task : null;
  const conflicts = [
    ...recipeConflicts(job),
    ...choiceConflicts(job),
    ...dataConflicts(job),
    ...validationConflicts(job),
    ...weightsConflicts(job),
    ...shotConflicts(job),
    ...repeatConflicts(job),
    ...metricConflicts(job),
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

/** Whether stages of the job need a file of weights. */
const needsWeights = (job: JobSpec): boolean =>
  job.objective === 'pretrained' || (hasPretraining(job) && job.pretrain.fromWeights);

function weightsConflicts(job: JobSpec): Conflict[] {
  if (!needsWeights(job) || job.model.weights !== undefined) return [];
  const keys = job.objective === 'pretrained' ? ['objective'] : ['pretrain.fromWeights'];
  const what = job.objective === 'pretrained' ? 'the objective pretrained' : 'pretrain.fromWeights';
  return [{ keys, message: `${what} needs a file of weights; add model.weights: { file: weights.safetensors }` }];
}

/** A recipe of a job, and what messages and the file call its keys. */
interface NamedRecipe {
  recipe: object;
  /** `finetune.epochs`, or `evaluate[1].epochs` if an entry sets it. */
  label: (key: string) => string;
  /** The places at which the key may be written, the most specific first. */
  keys: (key: string) => string[];
}

function recipesOf(job: JobSpec): NamedRecipe[] {
  const scratch = job.objective === 'scratch';
  const pretraining = !hasPretraining(job) ? [] : [sharedRecipe('pretrain', job.pretrain, false)];
  const evaluations = entriesOf(job).map(({ protocol, recipe, own }, index): NamedRecipe => {
    const shared = sharedRecipe(protocol, recipe, scratch);
    return {
      recipe: shared.recipe,
      label: (key) => (own.has(key) ? `evaluate[${index}].${key}` : shared.label(key)),
      keys: (key) => (own.has(key) ? [`evaluate.${index}.${key}`, 'evaluate'] : shared.keys(key)),
    };
  });
  return [...pretraining, ...evaluations];
}

/** A recipe as the key of that name has it; from scratch, with the values of its mapping `scratch`. */
function sharedRecipe(name: string, written: object, scratch: boolean): NamedRecipe {
  const ofScratch = scratch && 'scratch' in written && isMapping(written.scratch) ? written.scratch : {};
  const label = (key: string): string => (key in ofScratch ? `${name}.scratch.${key}` : `${name}.${key}`);
  return { recipe: { ...written, ...ofScratch }, label, keys: (key) => [label(key)] };
}

function recipeConflicts(job: JobSpec): Conflict[] {
  const { patchSize } = modelSizes(job.model);
  return recipesOf(job).flatMap(({ recipe, label, keys }) => {
    const { epochs, warmupEpochs, batchSize, accumulate, imageSize } = numbersIn(recipe);
    const conflicts: Conflict[] = [];
    if (epochs !== undefined && warmupEpochs !== undefined && warmupEpochs >= epochs) {
      conflicts.push({
        keys: [...keys('epochs'), ...keys('warmupEpochs')],
        message:
          `${label('warmupEpochs')} (${warmupEpochs}) must be below ${label('epochs')} (${epochs}); ` +
          `lower the warm-up, for instance to ${Math.ceil(epochs) / 10}`,
      });
    }
    if (accumulate !== undefined && batchSize !== undefined && batchSize % accumulate !== 0) {
      conflicts.push({
        keys: [...keys('accumulate'), ...keys('batchSize')],
        message: `${label('accumulate')} (${accumulate}) must divide ${label('batchSize')} (${batchSize})`,
      });
    }
    if (imageSize !== undefined && imageSize % patchSize !== 0) {
      conflicts.push({
        keys: [...keys('imageSize'), 'model.patchSize'],
        message: `patches of ${patchSize} px do not tile the images of ${label('imageSize')} (${imageSize} px); choose a multiple of ${patchSize}`,
      });
    }
    return conflicts;
  });
}

/** Lists of values to choose from, without validation images to choose on. */
function choiceConflicts(job: JobSpec): Conflict[] {
  return entriesOf(job).flatMap(({ protocol, recipe, own, data }, index): Conflict[] => {
    if (data.validation !== undefined) return [];
    const listed = Object.entries(recipe).filter(([, value]) => Array.isArray(value) && value.length > 1);
    return listed
      .filter(([key]) => EVALUATION_ENTRIES[protocol].choices.includes(key))
      .map(([key]) => {
        const label = own.has(key) ? `evaluate[${index}].${key}` : `${protocol}.${key}`;
        return {
          keys: own.has(key) ? [`evaluate.${index}.${key}`, 'evaluate'] : [label],
          message: `${label} lists several values, of which the best on validation images counts; set data.validation, or give one value`,
        };
      });
  });
}

/** Data sets whose images have another size than those of the job, or that lack a target that an evaluation needs. */
function dataConflicts(job: JobSpec): Conflict[] {
  const { imageSize } = job.data;
  const ofPretraining = job.pretrain.data?.imageSize ?? imageSize;
  const conflicts: Conflict[] =
    ofPretraining === imageSize || !hasPretraining(job)
      ? []
      : [sizeConflict('pretrain.data', ['pretrain.data.imageSize'], ofPretraining, imageSize)];
  for (const [index, { name, protocol, data }] of entriesOf(job).entries()) {
    const own = data === job.data ? [] : [`evaluate.${index}.data`];
    if (data.imageSize !== imageSize) {
      const keys = [`evaluate.${index}.data.imageSize`, 'evaluate'];
      conflicts.push(sizeConflict(`the data set of ${name}`, keys, data.imageSize, imageSize));
    }
    const needed = EVALUATION_ENTRIES[protocol].needs;
    const provided = targetsOf(data);
    if (needed === 'nothing' || needed === provided) continue;
    const offer = provided === 'nothing' ? 'only images' : TARGET_NAMES[provided];
    conflicts.push({
      keys: [...own, 'evaluate', 'data.name'],
      message: `${name} needs ${TARGET_NAMES[needed]}, and the data set ${data.name} provides ${offer}; choose another evaluation or data set`,
    });
  }
  return conflicts;
}

function sizeConflict(what: string, keys: string[], found: number, imageSize: number): Conflict {
  return {
    keys: [...keys, 'data.imageSize'],
    message:
      `${what} has images of ${found} px, and the encoder those of data.imageSize (${imageSize} px); ` +
      'remove its imageSize, and its images are resized',
  };
}

/** Shots of images that have no class. */
function shotConflicts(job: JobSpec): Conflict[] {
  return entriesOf(job).flatMap(({ name, protocol, shots }, index): Conflict[] => {
    if (shots === undefined || EVALUATION_ENTRIES[protocol].needs !== 'mask') return [];
    return [
      {
        keys: [`evaluate.${index}.shots`, 'evaluate'],
        message:
          `${name} has shots (${shots}), which count the images of each class, and an image with a mask has no single ` +
          'class; replace shots by labelFraction, a fraction of the images',
      },
    ];
  });
}

/** Repeats that would all measure the same. */
function repeatConflicts(job: JobSpec): Conflict[] {
  return entriesOf(job).flatMap((entry, index): Conflict[] => {
    const { name, protocol, repeats } = entry;
    const { shots, labelFraction } = labelsOf(entry);
    if (repeats === 1 || EVALUATION_ENTRIES[protocol].trains !== 'nothing') return [];
    if (shots !== undefined || labelFraction < 1) return [];
    return [
      {
        keys: [`evaluate.${index}.repeats`, 'evaluate'],
        message: `${name} draws nothing, so its ${repeats} repeats would be the same; remove repeats, or set shots or labelFraction`,
      },
    ];
  });
}

/** Metrics for `transfer.csv` that the recipe of the entry does not measure. */
function metricConflicts(job: JobSpec): Conflict[] {
  return entriesOf(job).flatMap(({ protocol, metric, recipe }, index): Conflict[] => {
    const missing = metric === undefined ? null : missingKeyOf(protocol, metric, recipe);
    if (missing === null) return [];
    const message = `evaluate[${index}].metric: ${metric} is only measured with ${protocol}.${missing}; set it, or choose another metric`;
    return [{ keys: [`evaluate.${index}.metric`, 'evaluate'], message }];
  });
}

/** Folders of validation images of data sets that have no folders. */
function validationConflicts(job: JobSpec): Conflict[] {
  const sets = [
    ...(!hasPretraining(job) ? [] : [{ what: 'pretrain.data', keys: ['pretrain.data'], data: pretrainData(job) }]),
    ...entriesOf(job).map(({ data }, index) => ({
      what: `evaluate[${index}].data`,
      keys: [`evaluate.${index}.data`, 'evaluate'],
      data,
    })),
  ].map((set) =>
    set.data === job.data ? { what: 'data', keys: ['data.validation', 'data.name'], data: job.data } : set,
  );
  return sets.flatMap(({ what, keys, data: { name, validation } }): Conflict[] => {
    if (validation === undefined || !('folder' in validation) || DATASET_ENTRIES[name].hasFolders) return [];
    return [
      {
        keys,
        message: `the data set ${name} has no folders, so ${what}.validation.folder cannot name one; set fraction or images instead`,
      },
    ];
  });
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
