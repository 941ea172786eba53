/**
 * Everything that can happen while a plan runs, as one union. Reporters turn events into words, bars or JSON; the
 * runner itself prints nothing. Every event can be written as JSON.
 */
import type { FailureCause } from '../common/errors.js';
import type { StageRef } from '../spec/describe.js';
import type { MetricValues } from '../stages/events.js';
import type { StageResult } from '../store/records.js';

/** Numbers of stages: of pre-trainings under `pretrain`, and of each evaluation under its name. */
export type EntryCounts = Readonly<Record<string, number>>;

export type RunEvent =
  | {
      type: 'plan-started';
      name: string;
      folder: string;
      stages: number;
      /** Stages whose results are there already. */
      hits: number;
      /** Stages to run. */
      toRun: EntryCounts;
      /** Most stages that run at once. */
      jobs: number;
    }
  /** The rules of the plan now want further stages; `why`: what they waited for. */
  | { type: 'plan-extended'; toRun: EntryCounts; why: string }
  | { type: 'stage-hit'; stage: StageRef; why: string }
  /** Another sweep runs the stage, and this one waits for the result. `host` is null if it is not known. */
  | { type: 'stage-elsewhere'; stage: StageRef; host: string | null }
  /** The stage had no result at the start, and has one now; `why`: how. */
  | { type: 'stage-found'; stage: StageRef; why: string }
  | { type: 'stage-started'; stage: StageRef; attempt: number; why: string }
  /** The worker has opened its device and begins. `fromStep` is above 0 if an earlier attempt was interrupted. */
  | { type: 'stage-training'; stage: StageRef; device: string; steps: number; fromStep: number }
  | {
      type: 'stage-progress';
      stage: StageRef;
      /** The epoch under way, from 0, and how many there are. */
      epoch: number;
      epochs: number | null;
      /** Optimiser steps done, and how many there are. */
      step: number;
      steps: number;
      loss: number;
      imagesPerSecond: number;
    }
  /** Metrics after `epoch` epochs, by their keys in results: on the test set, or on the split that is named. */
  | {
      type: 'stage-evaluated';
      stage: StageRef;
      epoch: number;
      metrics: MetricValues;
      split?: 'validation' | undefined;
    }
  | { type: 'stage-warning'; stage: StageRef; message: string }
  | { type: 'stage-done'; stage: StageRef; result: StageResult; seconds: number }
  /** An attempt failed, and another may help: it begins after `pause` seconds. */
  | {
      type: 'stage-retry';
      stage: StageRef;
      cause: FailureCause;
      reason: string;
      pause: number;
      attempts: number;
      maxAttempts: number;
    }
  | ({ type: 'stage-failed' } & StageFailure)
  /** How every stage could be faster; sent once. */
  | { type: 'advice'; message: string }
  /** Never started, because the stage `by` that it depends on has failed. */
  | { type: 'stage-blocked'; stage: StageRef; by: StageRef }
  /** Stopped before its end. The worker has kept a checkpoint if it could. */
  | { type: 'stage-interrupted'; stage: StageRef; seconds: number }
  /** Nothing new starts, and so many workers are waited for. */
  | { type: 'run-stopping'; why: StopReason; workers: number }
  | { type: 'run-ended'; summary: RunSummary };

/**
 * Why a run ends before its plan: a stop signal; a stage failed and `--on-failure` starts nothing new or kills workers;
 * the disk is full; the results folder cannot be written or something unforeseen was thrown.
 */
export type StopReason = 'asked' | 'no-new' | 'kill' | 'disk-full' | 'crash';

export interface StageFailure {
  stage: StageRef;
  cause: FailureCause;
  /** If the worker ended without a reason, several lines: the end of its log follows. */
  reason: string;
  /** Path of the worker's log. */
  log: string;
  /** Attempts made in this run. */
  attempts: number;
  seconds: number;
}

/** How a run ended. Every stage of the run is counted exactly once; `left` counts the others that are wanted. */
export interface RunSummary {
  stages: number;
  done: number;
  hits: number;
  failed: StageFailure[];
  blocked: StageRef[];
  interrupted: StageRef[];
  /** Not begun, because the run was interrupted before their turn. */
  pending: number;
  /** Whether they are needed is not known yet: that depends on results that are missing. */
  open: number;
  /** The result that the first of them waits for, as in `needs the look at 5 seeds`; null: none is open. */
  waitsFor: string | null;
  /** Not run, since the results decided against them. */
  unneeded: number;
  /** Why the first of them is not needed, as in `decided at 5 seeds`; null: all are needed. */
  decidedBy: string | null;
  /** Stages of the plan without a result that were not part of the run. */
  left: number;
  seconds: number;
}
