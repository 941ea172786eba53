/** Runs one stage of a plan, once: for a batch system, which decides itself when stages run. */
import { lstatSync } from 'node:fs';
import { UsageError } from '../common/errors.js';
import { referTo, type StageRef } from '../spec/describe.js';
import type { Plan, Stage } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import type { RunSummary } from './events.js';
import { inspectPlan, inspectStage } from './inspect.js';
import type { RunOptions } from './run-options.js';
import { runPlan } from './run-plan.js';

export type OneEnd =
  | { kind: 'ran'; summary: RunSummary; keptCheckpoint: boolean }
  /** Not begun: the parent that it starts from has no result. */
  | { kind: 'blocked'; by: StageRef };

/**
 * Runs the stage with identity `id`, unless it has its result already.
 *
 * @throws UsageError if the plan has no such stage; otherwise, the errors of `runPlan`.
 */
export async function runOne(id: string, options: Omit<RunOptions, 'jobs'>): Promise<OneEnd> {
  const { plan, folder } = options;
  const stage = plan.stages.find((candidate) => candidate.id === id);
  if (stage === undefined)
    throw new UsageError(`the plan of ${plan.name} has no stage ${id}; vitmim status --json lists its stages`);
  const blocker = pendingParent(plan, stage, folder);
  if (blocker !== null) return { kind: 'blocked', by: blocker };

  const { checkpoint } = sweepPaths(folder).stage(id);
  const before = timeOf(checkpoint);
  // Whether a pre-training that is done must run again depends on the stages that begin from it.
  const stages = plan.stages.filter((other) => other === stage || other.parent === id);
  const summary = await runPlan({
    ...options,
    plan: { ...plan, stages },
    only: new Set([id]),
    jobs: 1,
    onEvent: (event) => {
      // The children are not left: they have tasks of their own.
      options.onEvent(event.type === 'run-ended' ? { ...event, summary: { ...event.summary, left: 0 } } : event);
    },
  });
  return { kind: 'ran', summary, keptCheckpoint: timeOf(checkpoint) > before };
}

/** The parent, if the stage must run and the parent is not done; else null. */
function pendingParent(plan: Plan, stage: Stage, folder: string): StageRef | null {
  const parent = plan.stages.find(({ id }) => id === stage.parent);
  if (parent === undefined) return null;
  const paths = sweepPaths(folder);
  if (inspectStage(stage, paths.stage(stage.id)).kind === 'hit') return null;
  const blocked = inspectPlan({ ...plan, stages: [parent, stage] }, paths).get(parent.id)!.kind === 'run';
  return blocked ? referTo(plan, parent) : null;
}

/** When a file was last written, in milliseconds; 0 if there is none. */
function timeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
