/** One resolved job → the configurations of its stages. */
import { validationOf, type Validation } from '../data/validation.js';
import { resolveRecipe, type Evaluation, type EvaluationStageConfig } from '../stages/index.js';
import { entriesOf, pretrainData, type ResolvedEvaluation } from './entries.js';
import type { ResolvedModel } from './model.js';
import type { JobSpec } from './schema.js';
import type { StageConfig, UnlabelledData, WeightsInput } from './stages.js';
import type { Task } from './task.js';

/**
 * The purpose of a job. `plain`: it is reported. `trial`: a candidate is measured on the validation images. `joined`:
 * it is reported, and trained on the validation images too.
 */
export type JobUse = 'plain' | 'trial' | 'joined';

/** A resolved job, from which the configurations of its stages follow. */
export interface ResolvedStages {
  job: JobSpec;
  model: ResolvedModel;
  /** null: scratch. */
  task: Task | null;
  use?: JobUse;
}

/** Whether the job pre-trains. */
export const hasPretraining = ({ objective }: JobSpec): boolean =>
  objective !== 'scratch' && objective !== 'pretrained';

/** The keys of a recipe that are numbers. */
export function numbersIn(recipe: object): Readonly<Partial<Record<string, number>>> {
  return Object.fromEntries(
    Object.entries(recipe).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'number' ? [[key, value]] : [],
    ),
  );
}

/** The configuration of the pre-training. */
export function pretrainConfig(
  job: JobSpec,
  { scratchInit, ...model }: ResolvedModel,
  task: Task,
  use: JobUse = 'plain',
): StageConfig {
  // The target is part of the task.
  const { target, data: _, fromWeights, ...recipe } = job.pretrain;
  const { validation, ...images } = withoutLabels(pretrainData(job));
  const data = withValidation(images, validationOf(validation, use === 'joined' || validation?.pretrain === 'include'));
  return { kind: 'pretrain', seed: job.seed, data, model, task, recipe, ...(fromWeights ? weightsInput(job) : {}) };
}

/** The weights that a stage starts from. Their digest is added when the file is read. */
function weightsInput({ model: { weights } }: JobSpec): { weights?: WeightsInput } {
  if (weights === undefined) return {};
  return { weights: { file: weights.file, format: weights.format, sha256: weights.sha256 ?? '' } };
}

function withValidation<Data extends object>(data: Data, validation: Validation | undefined) {
  return validation === undefined ? data : { ...data, validation };
}

/** The labels that an evaluation trains on: the entry decides, else its recipe, else its data. */
export function labelsOf({
  shots,
  labelFraction,
  recipe,
  data,
}: Pick<ResolvedEvaluation, 'shots' | 'labelFraction' | 'data'> & { recipe: object }): {
  shots?: number;
  labelFraction: number;
} {
  if (shots !== undefined) return { shots, labelFraction: 1 };
  const ofRecipe = numbersIn(recipe).labelFraction;
  return { labelFraction: labelFraction ?? ofRecipe ?? data.labelFraction };
}

/**
 * The configuration of one evaluation. It does not include the decoder, which only pre-training uses, nor the name.
 *
 * @param repeat From 0. The first repeat has the configuration of an evaluation without repeats.
 */
export function evaluationConfig<Name extends Evaluation>(
  entry: ResolvedEvaluation<Name>,
  job: JobSpec,
  { decoder, scratchInit, ...encoder }: ResolvedModel,
  { repeat = 0, use = 'plain' }: { repeat?: number; use?: JobUse } = {},
): EvaluationStageConfig<Name> {
  const scratch = job.objective === 'scratch';
  const init = scratch ? scratchInit : encoder.init;
  const { shots, labelFraction } = labelsOf(entry);
  const recipe = resolveRecipe(entry.protocol, entry.recipe, scratch);
  const { imageSize = encoder.imageSize } = numbersIn(recipe);
  const { validation, ...images } = { ...entry.data, labelFraction };
  return {
    kind: entry.protocol,
    seed: job.seed,
    data: withValidation(images, validationOf(validation, use === 'joined')),
    ...(use === 'trial' && { split: 'validation' as const }),
    model: { ...encoder, imageSize, init },
    recipe,
    ...(shots !== undefined && { shots }),
    ...(repeat > 0 && { repeat }),
    // The table of given weights was resampled from the first version on.
    ...(hasPretraining(job) && imageSize !== encoder.imageSize && { positions: 'resampled' as const }),
    ...(job.objective === 'pretrained' && weightsInput(job)),
  };
}

/** A part of a job with the data set that it opens. */
export interface OpenedBy {
  /** The data set as the spec has it, without the choice of labels. */
  data: UnlabelledData;
}

/** The configurations of the stages of a job. */
export interface JobStages {
  /** null: scratch. */
  pretraining: (OpenedBy & { config: StageConfig }) | null;
  /** In the order of `evaluate`, each with one configuration for each repeat. */
  evaluations: (OpenedBy & { name: string; configs: StageConfig[] })[];
}

/** All stages of a job. */
export function jobStages({ job, model, task, use = 'plain' }: ResolvedStages): JobStages {
  return {
    pretraining:
      task === null ? null : { data: withoutLabels(pretrainData(job)), config: pretrainConfig(job, model, task, use) },
    evaluations: entriesOf(job).map((entry) => ({
      name: entry.name,
      data: withoutLabels(entry.data),
      configs: Array.from({ length: entry.repeats }, (_, repeat) =>
        evaluationConfig(entry, job, model, { repeat, use }),
      ),
    })),
  };
}

/** The configurations of all stages of a job, the pre-training first. */
export function stageConfigs(resolved: ResolvedStages): StageConfig[] {
  const { pretraining, evaluations } = jobStages(resolved);
  return [...(pretraining === null ? [] : [pretraining.config]), ...evaluations.flatMap(({ configs }) => configs)];
}

/** The images of a data set, without the choice of labels. */
export function withoutLabels(data: UnlabelledData): UnlabelledData {
  const { labelFraction, ...images } = { labelFraction: 1, ...data };
  return images;
}

/** The data sets of the stages of a job, those of the pre-training first. */
export function dataOfStages(job: JobSpec, task: Task | null): UnlabelledData[] {
  const evaluated = entriesOf(job).map(({ data }) => data);
  return (task === null ? evaluated : [pretrainData(job), ...evaluated]).map(withoutLabels);
}
