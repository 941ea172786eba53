/** How a run ended, in numbers. Pure, but for the summary that it changes. */
import type { Needs } from '../decide/rules.js';
import type { StageRef } from '../spec/describe.js';
import type { RunSummary } from './events.js';
import type { Worklist } from './worklist.js';

/** The summary of a run that has not begun. */
export function newSummary(worklist: Worklist): RunSummary {
  return {
    stages: worklist.stages.length,
    done: 0,
    hits: worklist.of('hit').length,
    failed: [],
    blocked: [],
    interrupted: [],
    pending: worklist.of('run').length,
    open: 0,
    waitsFor: null,
    unneeded: 0,
    decidedBy: null,
    left: worklist.left,
    seconds: 0,
  };
}

/**
 * Failures of stages that are not needed count as not needed: a trial that diverged, so that another candidate was chosen.
 *
 * @param needs By all results of the run.
 */
export function withoutNeedless(summary: RunSummary, needs: Needs): RunSummary {
  const isUnneeded = ({ id }: StageRef): boolean => needs.get(id)?.kind === 'unneeded';
  const failed = summary.failed.filter(({ stage }) => !isUnneeded(stage));
  const blocked = summary.blocked.filter((stage) => !isUnneeded(stage));
  const first = summary.failed.find(({ stage }) => isUnneeded(stage));
  if (first === undefined) return summary;
  return {
    ...summary,
    failed,
    blocked,
    unneeded: summary.unneeded + summary.failed.length - failed.length + summary.blocked.length - blocked.length,
    decidedBy: summary.decidedBy ?? needs.get(first.stage.id)!.why,
  };
}
