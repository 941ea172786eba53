/** What a run tells of stages and their workers, in the words of its events. */
import type { Stage } from '../spec/stages.js';
import type { StageEvent } from '../store/records.js';
import type { KindCounts, RunEvent, StageRef } from './events.js';

/** Stages by kind. */
export function countKinds(stages: readonly Stage[]): KindCounts {
  const counts: KindCounts = {};
  // The stages of the longest chains come first, as they will in the run.
  for (const kind of ['pretrain', 'finetune', 'linear', 'knn'] as const) {
    const count = stages.filter(({ config }) => config.kind === kind).length;
    if (count > 0) counts[kind] = count;
  }
  return counts;
}

/** What a worker says, as an event of the run. How it ended is told once its process has. */
export function relay({ config }: Stage, stage: StageRef, event: StageEvent): RunEvent[] {
  switch (event.type) {
    case 'started':
      return [{ ...event, type: 'stage-training', stage }];
    case 'progress': {
      const epochs = config.kind === 'knn' ? null : config.recipe.epochs;
      return [{ ...event, type: 'stage-progress', stage, epochs }];
    }
    case 'evaluated':
      return [{ ...event, type: 'stage-evaluated', stage }];
    case 'warning':
      return [{ ...event, type: 'stage-warning', stage }];
    case 'alive':
    case 'done':
    case 'failed':
      return [];
  }
}
