/** Texts that several figures share. */
import { taskName } from '../../../spec/objective.js';
import type { Task } from '../../../spec/task.js';
import { MASK_RATIO } from '../../../evidence/variants.js';

export const BARS = 'Error bars: one sample standard deviation over seeds, if there are several seeds.';
export const DASHED = 'Dashed: from scratch in the same setting.';

/** `0.75 masked`. */
export const taskTitle = (task: Task): string => `${task.maskRatio > 0 ? `${task.maskRatio} ` : ''}${taskName(task)}`;

/**
 * `0.5 masked pretrain.epochs=20`: an objective with its setting. The mask ratio is in front, as in {@link taskTitle}:
 * charts shorten long labels.
 *
 * @param said Parts of the setting that the title of the chart has.
 */
export function rowLabel(row: { objective: string; setting: string }, said = ''): string {
  const known = new Set(['', ...said.split(' ')]);
  const parts = row.setting.split(' ').filter((part) => !known.has(part));
  const isRatio = (part: string): boolean => part.startsWith(`${MASK_RATIO}=`);
  const ratio = parts.filter(isRatio).map((part) => part.slice(MASK_RATIO.length + 1));
  return [...ratio, row.objective, ...parts.filter((part) => !isRatio(part))].join(' ');
}

/** The parts of a title that are not empty, joined. */
export const titled = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
