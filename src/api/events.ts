/** The events of a running sweep. `vitmim sweep --json` prints the same events, one a line. */
import type { FailureCause } from '../common/errors.js';
import type { Device } from './types.js';

/** A stage as events name it. */
export interface StageName {
  readonly id: string;
  /** `pretrain`, or the protocol of an evaluation. */
  readonly kind: string;
  /** `pretrain`, or the name of the evaluation in `evaluate`. */
  readonly entry: string;
  /** For people: `finetune masked seed 0`. */
  readonly name: string;
}

/** A result: the numbers of `result.json`. */
export interface StageNumbers {
  readonly kind: string;
  readonly [number: string]: unknown;
}

interface About<Type extends string> {
  readonly type: Type;
  readonly stage: StageName;
}

export interface PlanStarted {
  readonly type: 'plan-started';
  readonly name: string;
  /** The results folder. */
  readonly folder: string;
  readonly stages: number;
  /** Stages whose results are there already. */
  readonly hits: number;
  /** Stages to run, by their entry. */
  readonly toRun: Readonly<Record<string, number>>;
  /** Most stages that run at once. */
  readonly jobs: number;
}

/** The results so far require further stages. `why` names the results that these waited for. */
export interface PlanExtended {
  readonly type: 'plan-extended';
  readonly toRun: Readonly<Record<string, number>>;
  readonly why: string;
}

/** Its result is there already. */
export interface StageHit extends About<'stage-hit'> {
  readonly why: string;
}

/** Another sweep runs it; its result is waited for. */
export interface StageElsewhere extends About<'stage-elsewhere'> {
  /** null: not known. */
  readonly host: string | null;
}

/** It was to run, and has its result by now. */
export interface StageFound extends About<'stage-found'> {
  readonly why: string;
}

export interface StageStarted extends About<'stage-started'> {
  readonly attempt: number;
  readonly why: string;
}

/** Its worker has opened a device. */
export interface StageTraining extends About<'stage-training'> {
  readonly device: string;
  readonly steps: number;
  /** Above 0: it continues from a checkpoint. */
  readonly fromStep: number;
}

export interface StageProgress extends About<'stage-progress'> {
  /** The current epoch, from 0. */
  readonly epoch: number;
  readonly epochs: number | null;
  /** Optimiser steps that are done. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
}

/** Metrics after `epoch` epochs. */
export interface StageEvaluated extends About<'stage-evaluated'> {
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  /** undefined: the test set. */
  readonly split?: 'validation' | undefined;
}

export interface StageWarning extends About<'stage-warning'> {
  readonly message: string;
}

export interface StageDone extends About<'stage-done'> {
  readonly result: StageNumbers;
  readonly seconds: number;
}

/** An attempt failed; the next one begins after `pause` seconds. */
export interface StageRetry extends About<'stage-retry'> {
  readonly cause: FailureCause;
  readonly reason: string;
  readonly pause: number;
  readonly attempts: number;
  readonly maxAttempts: number;
}

export interface FailedStage {
  readonly stage: StageName;
  readonly cause: FailureCause;
  readonly reason: string;
  /** Path of the log of its worker. */
  readonly log: string;
  readonly attempts: number;
  readonly seconds: number;
}

export interface StageFailed extends FailedStage {
  readonly type: 'stage-failed';
}

/** How every stage could be faster. */
export interface Advice {
  readonly type: 'advice';
  readonly message: string;
}

/** Not run, because the stage `by` that it starts from has failed. */
export interface StageBlocked extends About<'stage-blocked'> {
  readonly by: StageName;
}

/** Stopped before its end, with a checkpoint if the worker could write one. */
export interface StageInterrupted extends About<'stage-interrupted'> {
  readonly seconds: number;
}

/** Nothing new starts. */
export interface RunStopping {
  readonly type: 'run-stopping';
  readonly why: 'asked' | 'no-new' | 'kill' | 'disk-full' | 'crash';
  /** Workers that still run. */
  readonly workers: number;
}

export interface RunEnded {
  readonly type: 'run-ended';
  readonly summary: SweepSummary;
}

export type SweepEvent =
  | PlanStarted
  | PlanExtended
  | StageHit
  | StageElsewhere
  | StageFound
  | StageStarted
  | StageTraining
  | StageProgress
  | StageEvaluated
  | StageWarning
  | StageDone
  | StageRetry
  | StageFailed
  | Advice
  | StageBlocked
  | StageInterrupted
  | RunStopping
  | RunEnded;

/** How a run ended. Each stage of the plan is counted once. */
export interface SweepSummary {
  readonly stages: number;
  readonly done: number;
  /** Done before. */
  readonly hits: number;
  readonly failed: readonly FailedStage[];
  readonly blocked: readonly StageName[];
  readonly interrupted: readonly StageName[];
  /** Not begun. */
  readonly pending: number;
  /** Whether they are needed depends on missing results. */
  readonly open: number;
  readonly waitsFor: string | null;
  /** Not needed, by the results. */
  readonly unneeded: number;
  readonly decidedBy: string | null;
  readonly left: number;
  readonly seconds: number;
}

export interface RunSweepOptions {
  /** The results folder; `results/<name of the sweep>` by default. */
  readonly folder?: string;
  /** `auto` by default. */
  readonly device?: Device | 'auto';
  /** Stages at once; by default the cores, or 1 on a GPU. */
  readonly jobs?: number;
  /** Threads of each stage; by default the cores divided by `jobs`. */
  readonly threads?: number;
  /** After a stage has failed: continue (default), start no new stage, or kill the others. */
  readonly onFailure?: 'continue' | 'no-new' | 'kill';
  /** Attempts at a stage that crashed, hung or was pre-empted (3). */
  readonly maxAttempts?: number;
  readonly onEvent?: (event: SweepEvent) => void;
  /** Aborted to stop early: running stages write a checkpoint and end. */
  readonly signal?: AbortSignal;
  /** Aborted to kill the workers that have not ended since. */
  readonly killSignal?: AbortSignal;
}
