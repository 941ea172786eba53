/** What has become of every stage of a plan, as its results folder tells it. Reads little of many files; changes none. */
import { z } from 'zod';
import { epochsOf, type Plan, type Stage } from '../spec/stages.js';
import { readResult } from '../store/chain.js';
import { claimOwner, isGone } from '../store/claims.js';
import { parseLine } from '../store/files.js';
import { sweepPaths, type StagePaths } from '../store/layout.js';
import { tailOf } from '../store/open.js';
import type { StageState } from '../store/records.js';
import { readState } from '../store/state.js';
import { referTo } from './describe.js';
import type { StageRef } from './events.js';

export const STATUSES = ['done', 'running', 'lost', 'failed', 'blocked', 'interrupted', 'pending'] as const;
/** `lost`: it was running, and its process is gone. `blocked`: what it starts from has failed. */
export type Status = (typeof STATUSES)[number];

/** How far a running stage is, by the last line of its metrics. */
export interface Progress {
  /** Epochs done, with a fraction, and how many there are. */
  epoch: number;
  epochs: number;
  loss: number;
  imagesPerSecond: number;
}

export interface StageStatus {
  stage: StageRef;
  status: Status;
  /** Of the last attempt; null where there was none. */
  state: StageState | null;
  /** Why its result does not count; null: there is none, or it counts. */
  damage: string | null;
  progress: Progress | null;
}

/**
 * The status of each stage, in the order of the plan.
 *
 * @throws never for damaged files: such a stage is pending, as it is for the next sweep, and `damage` says why.
 */
export function statusOf(plan: Plan, folder: string): StageStatus[] {
  const paths = sweepPaths(folder);
  const failed = new Set<string>();
  return plan.stages.map((stage) => {
    const own = paths.stage(stage.id);
    const state = readState(own);
    const result = readResult(stage, own);
    let status = judge(own, state, result.kind === 'present');
    if (status === 'pending' && stage.parent !== null && failed.has(stage.parent)) status = 'blocked';
    if (status === 'failed' || status === 'blocked') failed.add(stage.id);
    return {
      stage: referTo(plan, stage),
      status,
      state,
      damage: result.kind === 'damaged' ? result.problem : null,
      progress: status === 'running' ? progressOf(stage, own) : null,
    };
  });
}

/** Whether a stage is done, as {@link statusOf} has it. */
export const isDone = (stage: Stage, paths: StagePaths): boolean =>
  judge(paths, readState(paths), readResult(stage, paths).kind === 'present') === 'done';

function judge(paths: StagePaths, state: StageState | null, hasResult: boolean): Status {
  if (state?.status === 'running') {
    const owner = claimOwner(paths);
    if (owner !== null && !isGone(owner)) return 'running';
  }
  if (hasResult) return 'done';
  switch (state?.status) {
    case undefined:
    case 'done':
      return 'pending';
    case 'running':
      return 'lost';
    case 'failed':
    case 'interrupted':
      return state.status;
  }
}

const metricsSchema = z.object({ epoch: z.number(), loss: z.number(), imagesPerSecond: z.number() });
/** More than one line of metrics. */
const TAIL_BYTES = 2048;

function progressOf({ config }: Stage, { metrics }: StagePaths): Progress | null {
  const epochs = epochsOf(config);
  if (epochs === null) return null;
  for (const line of tailOf(metrics, TAIL_BYTES).split('\n').reverse()) {
    const parsed = parseLine(line, metricsSchema);
    if (parsed !== undefined) return { ...parsed, epochs };
  }
  return null;
}

/** Seconds of work left, if stages take what those of their evaluation took; null where nothing was measured. */
export function workLeft(statuses: readonly StageStatus[]): { seconds: number; atLeast: boolean } | null {
  const took = new Map<string, number[]>();
  for (const { stage, status, state } of statuses) {
    if (status !== 'done' || state?.endedAt == null) continue;
    const seconds = (Date.parse(state.endedAt) - Date.parse(state.startedAt)) / 1000;
    took.set(stage.entry, [...(took.get(stage.entry) ?? []), Math.max(0, seconds)]);
  }
  if (took.size === 0) return null;
  const open = statuses.filter(({ status }) => status !== 'done');
  const mean = ([...values]: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const means = new Map([...took].map(([entry, values]) => [entry, mean(values)]));
  return {
    seconds: open.reduce((sum, { stage }) => sum + (means.get(stage.entry) ?? 0), 0),
    atLeast: open.some(({ stage }) => !means.has(stage.entry)),
  };
}
