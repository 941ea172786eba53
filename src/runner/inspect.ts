/** Which stages of a plan have their results already, and why the others run. Reads files, changes none. */
import { ALL_WANTED, needOf, type Needs } from '../decide/rules.js';
import type { Plan, Stage } from '../spec/stages.js';
import { checkpointProblem, openResult, parentProblem, readResult } from '../store/chain.js';
import { openJson } from '../store/files.js';
import type { StagePaths, SweepPaths } from '../store/layout.js';
import { isThere } from '../store/open.js';
import { stageSchema } from '../store/records.js';
import { readState, reasonInBrief } from '../store/state.js';

export interface Inspection {
  /** `open` and `unneeded`: it has no result, and does not run now or ever, by a rule of the plan. */
  kind: 'hit' | 'run' | 'open' | 'unneeded';
  why: string;
  /** Runs again although it has a result. */
  redo?: true;
  /** Has a result that may still hold: that depends on the checkpoint that its parent leaves. */
  recheck?: true;
}

/**
 * Judges every stage: a `hit` has a valid `result.json` beside a `stage.json` of the same identity, and started from
 * the checkpoint that its pre-training has now. If a stage that must run starts from a pre-training, the checkpoint of
 * that pre-training is read too, and must be the one that its result names.
 *
 * @param changes Why stages without any files are new, if a reason is known; see `src/spec/changes.ts`.
 * @param needs The stages that are not wanted, by the rules of the whole plan; default: all are wanted.
 */
export function inspectPlan(
  plan: Plan,
  paths: SweepPaths,
  changes: ReadonlyMap<string, string> = new Map(),
  needs: Needs = ALL_WANTED,
): Map<string, Inspection> {
  const inspections = new Map<string, Inspection>();
  const needed = new Set<string>();
  for (const stage of plan.stages.toReversed()) {
    const own = paths.stage(stage.id);
    let inspection = inspectStage(stage, own);
    if (inspection.why === NEW) inspection.why = changes.get(stage.id) ?? NEW;
    const need = needOf(needs, stage);
    if (inspection.kind === 'run' && need.kind !== 'wanted') inspection = need;
    if (inspection.kind === 'hit' && needed.has(stage.id)) inspection = inspectWeights(stage, own) ?? inspection;
    if (inspection.kind === 'run' && stage.parent !== null) needed.add(stage.parent);
    inspections.set(stage.id, inspection);
  }
  for (const { id, parent } of plan.stages) {
    if (parent === null || inspections.get(id)!.kind !== 'hit' || inspections.get(parent)?.kind !== 'run') continue;
    inspections.set(id, { kind: 'run', why: 'its pre-training runs again', recheck: true });
  }
  return inspections;
}

const NEW = 'new';

/** Judges the checkpoint of a pre-training that is done, and that a stage which is to run begins from. */
function inspectWeights({ id }: Stage, paths: StagePaths): Inspection | undefined {
  const result = openResult(paths);
  const recorded = result.kind === 'present' ? result.value.checkpoint : null;
  const problem = checkpointProblem(paths.checkpoint, id, recorded);
  if (problem === null) return undefined;
  return { kind: 'run', why: `its checkpoint ${problem}, and a stage that is to run begins from it`, redo: true };
}

/** Whether a stage that had to run has its result now. A stage that had to run for its weights must have these too. */
export function isDoneByNow(stage: Stage, paths: StagePaths, { redo }: Inspection): boolean {
  return inspectStage(stage, paths).kind === 'hit' && (redo !== true || inspectWeights(stage, paths) === undefined);
}

/** Judges one stage by its own files and the result of its parent. */
export function inspectStage(stage: Stage, paths: StagePaths): Inspection {
  const result = readResult(stage, paths);
  if (result.kind === 'missing') return { kind: 'run', why: isThere(paths.state) ? endOfLast(paths) : NEW };
  const stored = openJson(paths.stage, stageSchema);
  if (stored.kind !== 'present' || stored.value.id !== stage.id) {
    return { kind: 'run', why: 'its result belongs to another or a damaged stage.json' };
  }
  if (result.kind === 'damaged') return { kind: 'run', why: result.problem };
  // Results of engine revision 1 name no parent; the identity above is of this one.
  const problem = parentProblem(stage, result.value, undefined);
  return problem === null ? { kind: 'hit', why: 'done before' } : { kind: 'run', why: problem };
}

function endOfLast(paths: StagePaths): string {
  const state = readState(paths);
  switch (state?.status) {
    case 'failed':
      return `failed (${reasonInBrief(state)})`;
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
