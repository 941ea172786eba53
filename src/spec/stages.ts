/**
 * The work of a sweep: a plan of jobs, each a small graph of stages (pre-train → fine-tune, linear probe, kNN). A
 * stage's configuration contains exactly the values that determine its result; its identity is the hash of these.
 */
import { groupBy } from '../common/group-by.js';
import type { UnlabelledData } from '../data/registry.js';
import type { EvaluationStageConfig, StageKind } from '../stages/index.js';
import type { ModelConfig } from './model.js';
import type { WeightsFormat } from './weights-formats.js';
import type { PretrainSpec } from './schema.js';
import type { TrainOn } from './select-schema.js';
import type { Task } from './task.js';

/** Increase it if a change of the code changes results: stages of another revision are computed again. */
export const ENGINE_REVISION = 2;

export interface PretrainConfig {
  kind: 'pretrain';
  seed: number;
  data: UnlabelledData;
  model: ModelConfig;
  task: Task;
  recipe: Omit<PretrainSpec, 'target' | 'data' | 'fromWeights'>;
  /** The weights that training starts from; absent: initial ones. */
  weights?: WeightsInput;
}

export type StageConfig = PretrainConfig | EvaluationStageConfig;

/** A file of weights that a stage starts from. Only the digest decides its result. */
export interface WeightsInput {
  file: string;
  format: WeightsFormat | 'auto';
  /** The SHA-256 of the file. */
  sha256: string;
}

/** The epochs of a stage's recipe; null if it has none. */
export function epochsOf({ recipe }: StageConfig): number | null {
  return 'epochs' in recipe ? recipe.epochs : null;
}

export type { StageKind, UnlabelledData };

/** The data without their place (the path and the folders of the splits): results depend on the content only. */
export function withoutPlace(data: UnlabelledData): object {
  const { path, splits, validation, ...content } = data as UnlabelledData & { path?: string; splits?: object };
  if (validation === undefined) return content;
  return { ...content, validation: 'folder' in validation ? { ...validation, folder: true } : validation };
}

/** A configuration without the places of its files, as it is hashed and compared. */
export function withoutPlaces({ weights, ...config }: StageConfig): object {
  const data = withoutPlace(config.data);
  return { ...config, data, ...(weights === undefined ? {} : { weights: { sha256: weights.sha256 } }) };
}

/** One unit of work with one folder of results. */
export interface Stage {
  /**
   * The first 16 hexadecimal digits of the SHA-256 of the canonical JSON of all that follows, without the places of
   * data and weights.
   */
  id: string;
  config: StageConfig;
  /** The pre-training from which it starts; null for pre-training itself and for `scratch`. */
  parent: string | null;
  /** Fingerprint of the data set's content. */
  dataFingerprint: string;
  /** Revision of the numerics; see `ENGINE_REVISION`. */
  engineRevision: number;
}

/** One point of the sweep as written in the spec, with the axes that it varies. */
export interface Cell {
  objective: string;
  maskRatio: number | null;
  misalignment: string | null;
  stylePreservation: string | boolean | null;
  seed: number;
  /** Every other key that an axis or `--set` varies, by its dotted name. */
  overrides: Record<string, unknown>;
}

/** Cells that reduce to the same work. */
export interface Job {
  cells: Cell[];
  /** null: scratch, or given weights. */
  task: Task | null;
  /** The SHA-256 of the given weights that stand in place of a pre-training; absent: there are none. */
  weights?: string;
  seed: number;
  pretrain: string | null;
  /** The stages of each evaluation by its name in `evaluate`: one, or a list with one for each of its repeats. */
  evaluations: Readonly<Record<string, string | readonly string[]>>;
  /** The evaluation that tables rank by: the first of the spec's `evaluate`; null: pre-training only. */
  rankedBy: string | null;
  /** The candidate of which it is a trial or a run; undefined: no value of it is chosen. */
  candidate?: JobCandidate;
}

type Stages = Pick<Job, 'pretrain' | 'evaluations'>;

/** The stages of an evaluation of a job, one for each repeat; empty: the job does not have it. */
export function repeatsOf({ evaluations }: Pick<Job, 'evaluations'>, name: string): readonly string[] {
  const ids = Object.hasOwn(evaluations, name) ? evaluations[name]! : [];
  return typeof ids === 'string' ? [ids] : ids;
}

/** The stages of all evaluations of a job, in their order. */
export function evaluationIds({ evaluations }: Pick<Job, 'evaluations'>): string[] {
  return Object.values(evaluations).flat();
}

/** All stages of a job, the pre-training first. */
export function stageIds({ pretrain, evaluations }: Stages): string[] {
  return [...(pretrain === null ? [] : [pretrain]), ...evaluationIds({ evaluations })];
}

/**
 * What a plan calls the evaluation of each stage: its name in `evaluate`, the first one if there are several;
 * `pretrain` for a pre-training. Stages that no job names have the name of their kind.
 */
export function entryNames({ jobs, stages }: Pick<Plan, 'jobs' | 'stages'>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const job of jobs) {
    for (const name of Object.keys(job.evaluations)) {
      for (const id of repeatsOf(job, name)) if (!names.has(id)) names.set(id, name);
    }
  }
  return new Map(stages.map(({ id, config }) => [id, names.get(id) ?? config.kind]));
}

/** A candidate of a selection, in one job. */
export interface JobCandidate {
  /** Identity of the selection. */
  selection: string;
  /** Place among the candidates of the selection: of equally good ones the first is chosen. */
  index: number;
  /** The values of the keys that are chosen. */
  values: Record<string, unknown>;
  /**
   * Whether the job measures the candidate on the validation images; otherwise it is reported if the candidate is
   * chosen.
   */
  isTrial: boolean;
}

/** The choice for one cell, for all of its reported seeds together. */
export interface Selection {
  id: string;
  /** The metric that is compared. */
  by: string;
  /** The keys that are chosen. */
  keys: string[];
  /** The seeds of the trials. */
  seeds: number[];
  /** Candidates for each cell of the sweep. In this cell, those that are the same work are one. */
  planned: number;
  /** Images that the cell with its chosen values is trained on. */
  train: TrainOn;
  /** The cell at its first reported seed. */
  cell: Cell;
}

/**
 * When a sweep has seeds enough: all stages of the most seeds are in its plan, and those after the decision do not run.
 */
export interface SeedsRule {
  /** In the order in which they are used. */
  seeds: readonly number[];
  /** How many seeds each look has; ascending, the last has all. */
  looks: readonly number[];
  /** Largest probability of any wrong verdict, over all looks and verdicts. */
  alpha: number;
  /** Smallest difference of interest, in units of the metric; null: none is given. */
  smallest: number | null;
}

/** The key of a metric for some evaluations, by their names in `evaluate`. */
export type TransferMetrics = Readonly<Record<string, string>>;

/** The key of the metric that a spec sets for an evaluation; undefined: it sets none. */
export const transferMetricOf = (metrics: TransferMetrics | undefined, name: string): string | undefined =>
  metrics !== undefined && Object.hasOwn(metrics, name) ? metrics[name] : undefined;

/** Two objectives by their canonical names: whether the first is better than the second. */
export type ObjectivePair = readonly [string, string];

/** The frozen plan of a sweep (`plans/<identity>.json`). */
export interface Plan {
  version: 1;
  name: string;
  description?: string;
  jobs: Job[];
  /** Parents before children. */
  stages: Stage[];
  /** Absent: every seed runs. */
  seeds?: SeedsRule;
  /** Compared besides the principles of the paper; absent: none. */
  compare?: readonly ObjectivePair[];
  /** The metrics of evaluations in `transfer.csv`, by name and key, as the spec sets them; absent: it sets none. */
  metrics?: TransferMetrics;
  /** Cells that are contradictions, with the reason. */
  leftOut: { cell: Cell; reason: string }[];
  /** The choices for each cell; undefined: all values are fixed. */
  selections?: Selection[];
}

/** How many of some stages of a plan are pre-trainings, and how many belong to each evaluation. */
export function countEntries(plan: Pick<Plan, 'jobs' | 'stages'>, stages: readonly Stage[]): Record<string, number> {
  const names = entryNames(plan);
  const own = groupBy(stages, ({ id, config }) => names.get(id) ?? config.kind);
  // In the order of the plan: pre-training first, then the evaluations as they are written.
  const order = [
    'pretrain',
    ...new Set(plan.jobs.flatMap(({ evaluations }) => Object.keys(evaluations))),
    ...own.keys(),
  ];
  return Object.fromEntries(order.flatMap((name) => (own.has(name) ? [[name, own.get(name)!.length]] : [])));
}
