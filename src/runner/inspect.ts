/** Which stages of a plan have their results already, and why the others run. Reads files, changes none. */
import { existsSync } from 'node:fs';
import type { Plan, Stage } from '../spec/stages.js';
import { readJson } from '../store/files.js';
import type { StagePaths, SweepPaths } from '../store/layout.js';
import { resultSchema, stageSchema } from '../store/records.js';
import { readState } from '../store/state.js';

export interface Verdict {
  kind: 'hit' | 'run';
  why: string;
  /** Runs again although it has a result. */
  redo?: true;
}

/**
 * Judges every stage: a `hit` has a valid `result.json` beside a `stage.json` of the same identity. A pre-training
 * whose weights are gone still counts, unless a stage that is to run begins from them.
 *
 * @param changes Why stages without any files are new, where more is known; see `src/spec/changes.ts`.
 */
export function inspectPlan(
  plan: Plan,
  paths: SweepPaths,
  changes: ReadonlyMap<string, string> = new Map(),
): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  const needed = new Set<string>();
  for (const stage of plan.stages.toReversed()) {
    const own = paths.stage(stage.id);
    let verdict = inspectStage(stage, own);
    if (verdict.why === NEW) verdict.why = changes.get(stage.id) ?? NEW;
    if (verdict.kind === 'hit' && needed.has(stage.id) && !existsSync(own.checkpoint)) {
      verdict = { kind: 'run', why: 'its weights are gone, and a stage that is to run begins from them', redo: true };
    }
    if (verdict.kind === 'run' && stage.parent !== null) needed.add(stage.parent);
    verdicts.set(stage.id, verdict);
  }
  return verdicts;
}

const NEW = 'new';

/** Judges one stage by its own files. */
export function inspectStage(stage: Stage, paths: StagePaths): Verdict {
  if (!existsSync(paths.result)) return { kind: 'run', why: existsSync(paths.state) ? endOfLast(paths) : NEW };
  if (attempt(() => readJson(paths.stage, stageSchema))?.id !== stage.id) {
    return { kind: 'run', why: 'its result belongs to another or a damaged stage.json' };
  }
  if (attempt(() => readJson(paths.result, resultSchema))?.kind !== stage.config.kind) {
    return { kind: 'run', why: 'its result.json is damaged' };
  }
  return { kind: 'hit', why: 'done before' };
}

function endOfLast(paths: StagePaths): string {
  const state = readState(paths);
  switch (state?.status) {
    case 'failed':
      return `failed (${state.reason?.split('\n')[0] ?? 'nobody said why'})`;
    case 'interrupted':
      return 'interrupted before';
    case 'running':
      return 'its last worker vanished';
    case 'done':
      return 'its result.json is gone';
    case undefined:
      return 'its state.json is damaged';
  }
}

/** undefined where it throws: a damaged file means the stage runs again, and the verdict says so. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
