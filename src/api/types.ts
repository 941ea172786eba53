/** The types of the package. They name no internal type, so that a declaration file of them is complete. */

/** One point of a sweep as written in its spec, with the axes that it varies. */
export interface SpecCell {
  readonly objective: string;
  readonly maskRatio: number | null;
  readonly misalignment: string | null;
  readonly stylePreservation: string | boolean | null;
  readonly seed: number;
  /** Every other key that an axis or `set` varies, by its dotted name. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** A cell that contradicts itself, and is not run. */
export interface LeftOutCell {
  readonly cell: SpecCell;
  readonly reason: string;
}

/** A validated spec, expanded into its cells. */
export interface Spec {
  readonly name: string;
  readonly description: string | null;
  readonly cells: readonly SpecCell[];
  readonly leftOut: readonly LeftOutCell[];
}

/** The text of a spec in place of its file. */
export interface SpecText {
  readonly text: string;
  /** The name of the sweep if the text gives none. */
  readonly name?: string;
}

export interface ReadSpecOptions {
  /** Keys to set, as `--set` of the command line: `['job.pretrain.epochs=5']`. */
  readonly set?: readonly string[];
}

/** A unit of work of a plan, with one folder of results. */
export interface PlannedStage {
  /** Its identity: the hash of everything that decides its result. */
  readonly id: string;
  /** `pretrain`, or the protocol of an evaluation. */
  readonly kind: string;
  /** `pretrain`, or the name of the evaluation in `evaluate`. */
  readonly entry: string;
  /** For people: `finetune masked seed 0`. */
  readonly name: string;
  /** The pre-training from which it starts; null: none. */
  readonly parent: string | null;
}

/** Cells that reduce to the same work, and their stages. */
export interface PlannedJob {
  readonly cells: readonly SpecCell[];
  readonly pretrain: string | null;
  /** The stages of each evaluation by its name, one for each repeat. */
  readonly evaluations: Readonly<Record<string, readonly string[]>>;
}

/** What a sweep runs. */
export interface SweepPlan {
  /** Its identity. */
  readonly id: string;
  readonly name: string;
  readonly jobs: readonly PlannedJob[];
  /** Parents before children. */
  readonly stages: readonly PlannedStage[];
}

export interface PlanSweepOptions {
  /** Called with what is in each data set and file of weights, a line at a time. */
  readonly onMessage?: (line: string) => void;
}

export type Device = 'tensorflow' | 'webgpu' | 'simd' | 'cpu';

/** Which plans of a results folder are meant: the newest, all together, or one by its identity or the first digits of it. */
export type PlanSelection = 'newest' | 'all' | { readonly id: string };

export interface ReadResultsOptions {
  /** `newest` by default. */
  readonly plan?: PlanSelection;
}

/** One encoder under one run of one evaluation. */
export interface ResultRow {
  readonly sweep: string;
  /** The canonical name of the objective: `masked+zoomed-in`, `scratch`. */
  readonly objective: string;
  /** null: without pre-training. */
  readonly maskRatio: number | null;
  readonly misalignment: string | null;
  readonly style: string | null;
  readonly seed: number;
  /** The cells of the spec that the run stands for. */
  readonly cells: readonly SpecCell[];
  /** The name of the evaluation in `evaluate`. */
  readonly evaluation: string;
  /** `finetune`, `linear`, `knn`, … */
  readonly protocol: string;
  /** The number of the repeat, from 1. */
  readonly repeat: number;
  /** The first metric of the protocol, which tables compare. */
  readonly metric: string;
  /** Its value; null: not measured. */
  readonly value: number | null;
  /** `%`; null: a plain number. */
  readonly unit: string | null;
  /** All metrics of the protocol by their keys. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Every other number of the result by its key: losses, images, seconds. */
  readonly numbers: Readonly<Record<string, number | null>>;
  /** Why tables and verdicts do not count the run; null: they do. */
  readonly unhealthy: string | null;
  /** Identity of its stage: the folder below `stages/`. */
  readonly stage: string;
  /** The stage of the pre-training; null: none. */
  readonly pretrain: string | null;
}

/** A stage without a result that is needed, or may be. */
export interface MissingRow {
  readonly stage: string;
  readonly entry: string;
  /** `not run`, `failed: …`, `running`, or that its result is damaged. */
  readonly why: string;
}

export interface SweepResults {
  readonly rows: readonly ResultRow[];
  readonly missing: readonly MissingRow[];
}

/** An encoder of a results folder, chosen as by `vitmim embed`. */
export interface StageEncoder {
  /** The results folder. */
  readonly results: string;
  readonly plan?: PlanSelection;
  /** The identity of the stage, or the first digits of it. */
  readonly stage?: string;
  /** Values of axes in place of it: `objective=masked,seed=0`. */
  readonly cell?: string;
  /** The kind of stage of the cell, such as `pretrain`; by default the last one with a checkpoint. */
  readonly kind?: string;
}

/** An encoder in a safetensors file. */
export interface FileEncoder {
  readonly weights: string;
  /** `auto` by default. */
  readonly format?: 'auto' | 'vitmim' | 'timm' | 'mae' | 'hf';
}

export interface OpenEncoderOptions {
  /** `auto` by default. A process has one device at a time. */
  readonly device?: Device | 'auto';
  /** For reading images and for device simd; one for each core by default. */
  readonly threads?: number;
}

export interface FeatureOptions {
  /** All tokens in place of one vector for each image (false). */
  readonly tokens?: boolean;
  /** A file that cannot be decoded throws an error (`fail`, the default), or is left out. */
  readonly corrupt?: 'fail' | 'skip';
  /** How files become pixels; by default as in the data of the stage. */
  readonly decode?: 'torchvision' | 'colour-managed';
  /** Called after each batch with the number of images that are done or left out. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with a file that was left out. */
  readonly onSkipped?: (path: string, reason: string) => void;
  /** Called with a file that the decoder warned of, and that was used. */
  readonly onDamaged?: (path: string, reason: string) => void;
  /** Aborted to stop: then an AbortError is thrown. */
  readonly signal?: AbortSignal;
}

/** Features of images, in the order of their names. */
export interface Features {
  readonly names: string[];
  /** [names.length, …shape], row-major. */
  readonly data: Float32Array;
  /** Of the features of one image: [width], or [tokens, width]. */
  readonly shape: readonly number[];
}

/** An encoder on a device. */
export interface ImageEncoder {
  /** `pretrain masked seed 0`, or the path of the file. */
  readonly name: string;
  /** The device and what it runs on. */
  readonly device: string;
  /** The side of the square images that it sees. */
  readonly imageSize: number;
  readonly patchSize: number;
  /** Numbers in the features of an image, or of a token. */
  readonly width: number;
  /**
   * Computes the features of images.
   *
   * @param images Files, or folders of images.
   * @throws UsageError for a file that is missing, cannot be read or cannot be decoded.
   */
  features(images: string | readonly string[], options?: FeatureOptions): Promise<Features>;
  /** {@link features}, a batch at a time: for more images than memory holds. */
  batches(images: string | readonly string[], options?: FeatureOptions): AsyncIterable<Features>;
  /** Releases the weights and the device. */
  close(): void;
}
