/** Plans of the commands. The content of each data set is printed. */
import type { Plan } from '../spec/stages.js';
import type { Sweep } from '../spec/sweep.js';
import * as runner from '../runner/plan-sweep.js';
import { say } from './terminal.js';

/**
 * Opens every data set of the sweep, prints its content, and freezes the plan.
 *
 * @param onOpened Called with each data set.
 * @param tell Receives the content of each data set, a line at a time.
 * @throws UsageError: see `runner/plan-sweep.ts`.
 */
export const planSweep = (
  sweep: Sweep,
  onOpened?: runner.PlanWatch['onOpened'],
  tell: (line: string) => void = say,
): Promise<Plan> => runner.planSweep(sweep, { ...(onOpened && { onOpened }), tell, onHashed: hashingLines() });

const LINE_EVERY_MS = 2000;

/** A line every two seconds while files are read for the first time. */
function hashingLines(): (done: number, total: number) => void {
  let last = performance.now();
  return (done, total) => {
    const now = performance.now();
    if (now - last < LINE_EVERY_MS) return;
    last = now;
    say(`reading the data set's files to know them again: ${done} of ${total}`);
  };
}
