/** The state of every stage of a plan, by its results folder. Reads little of many files; changes none. */
import { addTo } from '../common/group-by.js';
import { mean } from '../common/sums.js';
import { z } from 'zod';
import { askerOf } from '../decide/needs.js';
import { needOf, type Needs } from '../decide/rules.js';
import { referTo, type StageRef } from '../spec/describe.js';
import { epochsOf, type Plan, type Stage } from '../spec/stages.js';
import { readResult } from '../store/chain.js';
import { claimOwner, isGone } from '../store/claims.js';
import { parseLine } from '../store/files.js';
import { sweepPaths, type StagePaths } from '../store/layout.js';
import { tailOf } from '../store/open.js';
import type { StageState } from '../store/records.js';
import { readState } from '../store/state.js';

export const STATUSES = [
  'done',
  'running',
  'lost',
  'failed',
  'blocked',
  'interrupted',
  'pending',
  'open',
  'unneeded',
] as const;
/**
 * `lost`: it was running, and its process is gone. `blocked`: what it starts from has failed. `open`: results to come
 * decide whether it is needed. `unneeded`: the results decided against it.
 */
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
  /** Of the last attempt; null if there was none. */
  state: StageState | null;
  /** Why its result does not count; null: there is none, or it counts. */
  damage: string | null;
  /** Why it is open or unneeded, as in `decided at 5 seeds`; null: it is neither. */
  decision: string | null;
  progress: Progress | null;
}

/**
 * The status of each stage, in the order of the plan.
 *
 * @param needs The stages that are not wanted; by default those of this plan.
 * @throws never for damaged files: such a stage is pending, as it is for the next sweep, and `damage` is the reason.
 */
export function statusOf(
  plan: Plan,
  folder: string,
  needs: Needs = askerOf(plan, sweepPaths(folder))(),
): StageStatus[] {
  const paths = sweepPaths(folder);
  const failed = new Set<string>();
  return plan.stages.map((stage) => {
    const own = paths.stage(stage.id);
    const state = readState(own);
    const result = readResult(stage, own);
    let status = judge(own, state, result.kind === 'present');
    if (status === 'pending' && stage.parent !== null && failed.has(stage.parent)) status = 'blocked';
    const need = needOf(needs, stage);
    if (need.kind === 'unneeded' && status !== 'done' && status !== 'running') status = 'unneeded';
    if (need.kind === 'open' && (status === 'pending' || status === 'blocked')) status = 'open';
    if (status === 'failed' || status === 'blocked') failed.add(stage.id);
    return {
      stage: referTo(plan, stage),
      status,
      state,
      damage: result.kind === 'damaged' ? result.problem : null,
      decision: (status === 'open' || status === 'unneeded') && need.kind !== 'wanted' ? need.why : null,
      progress: status === 'running' ? progressOf(stage, own) : null,
    };
  });
}

/** Whether a stage has its result, or will never need one. */
export const isSettled = ({ status }: Pick<StageStatus, 'status'>): boolean =>
  status === 'done' || status === 'unneeded';

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

/** Seconds of work left, if stages take what those of their evaluation took; null if nothing was measured. */
export function workLeft(statuses: readonly StageStatus[]): { seconds: number; atLeast: boolean } | null {
  const took = new Map<string, number[]>();
  for (const { stage, status, state } of statuses) {
    if (status !== 'done' || state?.endedAt == null) continue;
    const seconds = (Date.parse(state.endedAt) - Date.parse(state.startedAt)) / 1000;
    addTo(took, stage.entry, Math.max(0, seconds));
  }
  if (took.size === 0) return null;
  const left = statuses.filter(({ status }) => status !== 'done' && status !== 'open' && status !== 'unneeded');
  const means = new Map([...took].map(([entry, values]) => [entry, mean(values)]));
  return {
    seconds: left.reduce((sum, { stage }) => sum + (means.get(stage.entry) ?? 0), 0),
    atLeast: left.some(({ stage }) => !means.has(stage.entry)) || statuses.some(({ status }) => status === 'open'),
  };
}
