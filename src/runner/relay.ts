/** The reports of workers, as events of the run. */
import type { StageRef } from '../spec/describe.js';
import { epochsOf, type Stage } from '../spec/stages.js';
import type { StageEvent } from '../store/records.js';
import type { RunEvent } from './events.js';

/** The reports of a worker, as events of the run. The end of a stage is reported once its process has ended. */
export function relay({ config }: Stage, stage: StageRef, event: StageEvent): RunEvent[] {
  switch (event.type) {
    case 'started':
      return [{ ...event, type: 'stage-training', stage }];
    case 'progress': {
      return [{ ...event, type: 'stage-progress', stage, epochs: epochsOf(config) }];
    }
    case 'evaluated':
      return [{ ...event, type: 'stage-evaluated', stage }];
    case 'advice':
      return [event];
    case 'warning':
      return [{ ...event, type: 'stage-warning', stage }];
    case 'alive':
    case 'done':
    case 'failed':
    case 'idle':
      return [];
  }
}
