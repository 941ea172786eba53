/** Texts that several figures share. */
import { taskName } from '../../../spec/objective.js';
import type { Task } from '../../../spec/task.js';

export const BARS = 'Error bars: one sample standard deviation over seeds, where there are several.';
export const DASHED = 'Dashed: from scratch in the same setting.';

/** `0.75 masked`. */
export const taskTitle = (task: Task): string => `${task.maskRatio > 0 ? `${task.maskRatio} ` : ''}${taskName(task)}`;

/** What is shown and where, without the empty parts. */
export const titled = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
