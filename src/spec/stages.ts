/**
 * The work of a sweep: a plan of jobs, each a small graph of stages (pre-train → fine-tune, linear probe, kNN). A
 * stage's configuration contains exactly the values that determine its result; its identity is the hash of these.
 */
import type { UnlabelledData } from '../data/registry.js';
import type { Evaluation, EvaluationStageConfig, StageKind } from '../stages/index.js';
import type { ModelConfig } from './model.js';
import type { PretrainSpec } from './schema.js';
import type { Task } from './task.js';

/** Increased whenever a change of the code changes results: stages of another revision are computed again. */
export const ENGINE_REVISION = 2;

export interface PretrainConfig {
  kind: 'pretrain';
  seed: number;
  data: UnlabelledData;
  model: ModelConfig;
  task: Task;
  recipe: Omit<PretrainSpec, 'target'>;
}

export type StageConfig = PretrainConfig | EvaluationStageConfig;

/** The epochs of a stage's recipe; null if it has none. */
export function epochsOf({ recipe }: StageConfig): number | null {
  return 'epochs' in recipe ? recipe.epochs : null;
}

export type { StageKind, UnlabelledData };

/** The data without where they are: the path, and the folders of the splits. These decide no result; the content does. */
export function withoutPlace(data: UnlabelledData): object {
  const { path, splits, validation, ...content } = data as UnlabelledData & { path?: string; splits?: object };
  if (validation === undefined) return content;
  return { ...content, validation: 'folder' in validation ? { ...validation, folder: true } : validation };
}

/** One unit of work with one folder of results. */
export interface Stage {
  /**
   * The first 16 hexadecimal digits of the SHA-256 of the canonical JSON of all that follows, without `data.path` and
   * `data.splits`.
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
  /** null: scratch. */
  task: Task | null;
  seed: number;
  pretrain: string | null;
  evaluations: Partial<Record<Evaluation, string>>;
  /** The metric that tables rank by: the first of the spec's `evaluate`; null: pre-training alone. */
  rankedBy: Evaluation | null;
}

/** The frozen plan of a sweep (`plans/<identity>.json`). */
export interface Plan {
  version: 1;
  name: string;
  description?: string;
  jobs: Job[];
  /** Parents before children. */
  stages: Stage[];
  /** Cells that are contradictions, with the reason. */
  leftOut: { cell: Cell; reason: string }[];
}
