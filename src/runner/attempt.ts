/**
 * One attempt at one stage: its files before, its worker, and what became of it. Which stages are attempted, and when,
 * is decided in `run-plan.ts`; which cause an end without a result has, in `diagnose.ts`.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { type FailureCause } from '../common/errors.js';
import { isStopCode } from '../common/stop-codes.js';
import type { Stage } from '../spec/stages.js';
import { openResult } from '../store/chain.js';
import { holdsClaim } from '../store/claims.js';
import { appendText, writeJson } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import type { StageEvent, StageResult, StageState } from '../store/records.js';
import { readState } from '../store/state.js';
import { ATTEMPT_HEADER, causeOfEnd, countKilledForMemory, tailOfLog } from './diagnose.js';
import { supervise, type Limits, type Overrun, type WorkerWatch } from './supervise.js';
import { describeEnd, type Launch, type WorkerEnd } from './worker.js';

export type AttemptOutcome =
  | { kind: 'done'; result: StageResult; warning: string | null }
  | { kind: 'failed'; cause: FailureCause; reason: string }
  | { kind: 'interrupted' }
  /** Another sweep has taken the stage over, and answers for its files. */
  | { kind: 'deposed' };

export interface Attempt {
  stage: Stage;
  paths: StagePaths;
  /** 1 for the first. */
  number: number;
  launch: Launch;
  /** The claim under which the stage is worked on. */
  claim: string;
  slot: number;
  limits: Limits;
  onEvent: (event: StageEvent) => void;
  /** Aborted once workers have received a stop signal. */
  stopping: AbortSignal;
}

/** The number of the next attempt: one more than `state.json` has, 1 if it has none or is damaged. */
export function nextAttempt(paths: StagePaths): number {
  return (readState(paths)?.attempt ?? 0) + 1;
}

/** Runs the attempt and records it in `state.json`. Rejects only if the stage's own files cannot be written. */
export async function runAttempt(attempt: Attempt): Promise<AttemptOutcome> {
  const { stage, paths, number, launch, claim, slot, limits, onEvent, stopping } = attempt;
  mkdirSync(paths.folder, { recursive: true });
  writeJson(paths.stage, stage);
  // A damaged or foreign result must not pass for the result of this attempt.
  rmSync(paths.result, { recursive: true, force: true });
  const startedAt = new Date().toISOString();
  appendText(paths.log, `${ATTEMPT_HEADER}${number}, ${startedAt}, ${hostname()}\n`);
  const killedBefore = countKilledForMemory();

  let lastWord: LastWord | undefined;
  let heard: WorkerWatch['heard'] = () => undefined;
  const worker = launch({
    stage,
    paths,
    claim,
    slot,
    onEvent: (event) => {
      heard(event);
      if (event.type === 'done' || event.type === 'failed') lastWord = event;
      else onEvent(event);
    },
  });
  const supervision = supervise(worker, limits, { stopping });
  heard = (event) => {
    supervision.heard(event);
  };
  void worker.ended.then(() => {
    supervision.end();
  });
  const state: StageState = {
    status: 'running',
    attempt: number,
    pid: worker.pid,
    host: hostname(),
    startedAt,
    endedAt: null,
    reason: null,
    cause: null,
  };
  try {
    writeJson(paths.state, state);
  } catch (error) {
    worker.kill();
    await worker.ended;
    throw error;
  }

  const end = await worker.ended;
  if (!holdsClaim(paths, claim)) return { kind: 'deposed' };
  const { overrun } = supervision;
  const killedForMemory = countKilledForMemory() > killedBefore;
  const outcome = judge({ stage, paths, end, lastWord, stopping: stopping.aborted, overrun, limits, killedForMemory });
  const failure = outcome.kind === 'failed' ? outcome : { reason: null, cause: null };
  const endedAt = new Date().toISOString();
  writeJson(paths.state, { ...state, status: outcome.kind, endedAt, reason: failure.reason, cause: failure.cause });
  return outcome;
}

type LastWord = Extract<StageEvent, { type: 'done' | 'failed' }>;

interface Evidence {
  stage: Stage;
  paths: StagePaths;
  end: WorkerEnd;
  lastWord: LastWord | undefined;
  stopping: boolean;
  overrun: Overrun | null;
  limits: Limits;
  killedForMemory: boolean;
}

/**
 * The outcome of the attempt. A failure that the worker reports counts. A reported success or the way it ended does not
 * count: the attempt has a result if `result.json` can be read.
 */
function judge(evidence: Evidence): Exclude<AttemptOutcome, { kind: 'deposed' }> {
  const { stage, paths, end, lastWord, stopping, overrun, limits, killedForMemory } = evidence;
  if (lastWord?.type === 'failed') return { kind: 'failed', cause: lastWord.cause, reason: lastWord.reason };
  const result = readResult(paths, stage.config.kind);
  if (typeof result === 'object') {
    const clean = lastWord !== undefined && end.kind === 'exit' && end.code === 0;
    const warning = clean ? null : `its result is complete, but its worker ended abnormally (${describeEnd(end)})`;
    return { kind: 'done', result, warning };
  }
  if (overrun === 'timed-out') {
    return {
      kind: 'failed',
      cause: 'timed-out',
      reason: `it took more than ${limits.time} s; it continues from its checkpoint`,
    };
  }
  if (overrun === 'lost') {
    const log = tailOfLog(paths.log);
    return { kind: 'failed', cause: 'lost', reason: `its worker made no progress for ${limits.silence} s${log}` };
  }
  if (lastWord !== undefined) {
    return { kind: 'failed', cause: 'crash', reason: `the worker reported the end of the stage, but ${result}` };
  }
  const asked = end.kind === 'exit' ? isStopCode(end.code) : end.kind === 'signal';
  if (stopping && asked) return { kind: 'interrupted' };
  if (end.kind === 'exit' && isStopCode(end.code)) {
    return {
      kind: 'failed',
      cause: 'pre-empted',
      reason: 'its worker received a stop signal that this sweep did not send',
    };
  }
  return { kind: 'failed', ...causeOfEnd(end, paths.log, killedForMemory) };
}

/** The result, or its problem. */
function readResult(paths: StagePaths, kind: Stage['config']['kind']): StageResult | string {
  const stored = openResult(paths);
  switch (stored.kind) {
    case 'missing':
      return 'there is no result.json';
    case 'damaged':
      return `${paths.result} ${stored.problem}`;
    case 'present':
      if (stored.value.kind === kind) return stored.value;
      return `result.json holds the numbers of a ${stored.value.kind} stage, not of ${kind}`;
  }
}
