/** The last word on a stage: its `state.json`, damaged or not. */
import { openJson } from './files.js';
import type { StagePaths } from './layout.js';
import { stateSchema, type StageState } from './records.js';

/** The state of the stage's last attempt; null if there was none, or its file is damaged. */
export function readState({ state }: Pick<StagePaths, 'state'>): StageState | null {
  const stored = openJson(state, stateSchema);
  return stored.kind === 'present' ? stored.value : null;
}

/** Why an attempt failed, in one line. */
export const reasonInBrief = ({ reason }: Pick<StageState, 'reason'>): string =>
  reason?.split('\n')[0] ?? 'no reason was recorded';
