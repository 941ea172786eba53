/**
 * One attempt at one stage: its files before, its worker, and what became of it. Which stages are attempted, and when,
 * is decided in `run-plan.ts`.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { messageOf } from '../common/errors.js';
import type { Stage } from '../spec/stages.js';
import { readJson, writeJson } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import { resultSchema, stateSchema, type StageEvent, type StageResult, type StageState } from '../store/records.js';
import { describeEnd, INTERRUPTED, type Launch, type WorkerEnd } from './worker.js';

export type Outcome =
  | { kind: 'done'; result: StageResult; warning: string | null }
  | { kind: 'failed'; reason: string }
  | { kind: 'interrupted' };

export interface Attempt {
  stage: Stage;
  paths: StagePaths;
  /** 1 for the first. */
  number: number;
  launch: Launch;
  onEvent: (event: StageEvent) => void;
  /** True once workers have been told to stop. */
  stopping: () => boolean;
}

/** The number of the next attempt: one more than `state.json` has, 1 where it has none or is damaged. */
export function nextAttempt({ state }: StagePaths): number {
  try {
    return (readJson(state, stateSchema)?.attempt ?? 0) + 1;
  } catch {
    return 1;
  }
}

/** Runs the attempt and records it in `state.json`. Rejects only where the stage's own files cannot be written. */
export async function runAttempt({ stage, paths, number, launch, onEvent, stopping }: Attempt): Promise<Outcome> {
  mkdirSync(paths.folder, { recursive: true });
  writeJson(paths.stage, stage);
  // A damaged or foreign result must not pass for that of this attempt.
  rmSync(paths.result, { force: true });
  const startedAt = new Date().toISOString();
  appendFileSync(paths.log, `${HEADER}${number}, ${startedAt}, ${hostname()}\n`);

  let lastWord: StageEvent | undefined;
  const worker = launch(stage, paths, (event) => {
    if (event.type === 'done' || event.type === 'failed') lastWord = event;
    else onEvent(event);
  });
  const state: StageState = {
    status: 'running',
    attempt: number,
    pid: worker.pid,
    host: hostname(),
    startedAt,
    endedAt: null,
    reason: null,
  };
  try {
    writeJson(paths.state, state);
  } catch (error) {
    worker.kill();
    await worker.ended;
    throw error;
  }

  const end = await worker.ended;
  const outcome = judge(stage, paths, end, lastWord, stopping());
  const reason = outcome.kind === 'failed' ? outcome.reason : null;
  writeJson(paths.state, { ...state, status: outcome.kind, endedAt: new Date().toISOString(), reason });
  return outcome;
}

/**
 * What became of the attempt. The worker's word that it failed counts; its word that it is done does not, nor does the
 * way it ended: there is a result when `result.json` reads back.
 */
function judge(
  { config }: Stage,
  paths: StagePaths,
  end: WorkerEnd,
  lastWord: StageEvent | undefined,
  stopping: boolean,
): Outcome {
  if (lastWord?.type === 'failed') return { kind: 'failed', reason: lastWord.reason };
  const result = readResult(paths, config.kind);
  if (typeof result === 'object') {
    const clean = lastWord !== undefined && end.kind === 'exit' && end.code === 0;
    const warning = clean ? null : `its result is complete, but its worker did not end well (${describeEnd(end)})`;
    return { kind: 'done', result, warning };
  }
  if (lastWord !== undefined) return { kind: 'failed', reason: `the worker said it was done, but ${result}` };
  if (isInterruption(end, stopping)) return { kind: 'interrupted' };
  return { kind: 'failed', reason: `the worker ended without a result (${describeEnd(end)})${tailOf(paths.log)}` };
}

/** The result, or what is wrong with it. */
function readResult(paths: StagePaths, kind: Stage['config']['kind']): StageResult | string {
  if (!existsSync(paths.result)) return 'there is no result.json';
  try {
    const result = readJson(paths.result, resultSchema);
    if (result?.kind === kind) return result;
    return `result.json holds the numbers of a ${result?.kind ?? 'vanished'} stage, not of ${kind}`;
  } catch (error) {
    return messageOf(error);
  }
}

function isInterruption(end: WorkerEnd, stopping: boolean): boolean {
  if (end.kind === 'exit') return end.code === INTERRUPTED;
  return stopping && end.kind === 'signal';
}

const HEADER = '=== attempt ';
const LINES_KEPT = 10;

/** The last lines that this attempt left in the log, indented, or nothing. */
function tailOf(log: string): string {
  const text = readFileSync(log, 'utf8');
  const own = text.slice(text.lastIndexOf(HEADER)).split('\n').slice(1);
  const lines = own.filter((line) => line.trim() !== '').slice(-LINES_KEPT);
  return lines.length === 0 ? '' : `; the end of its log:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
