/** One line per event, for logs, pipes and CI. Nothing is ever overwritten. */
import { SweepClock } from '../sweep-clock.js';
import { renderLine } from './colour.js';
import { describeEvent, describeLeft } from './format.js';
import type { Reporter } from './reporter.js';

export interface PlainOptions {
  coloured?: boolean;
  /** Columns of a line now; no limit by default. */
  columns?: () => number;
  /** Milliseconds on a steady clock. */
  now?: () => number;
}

/** Least time between two lines on the progress of one stage. */
const PROGRESS_EVERY_MS = 10_000;

export function plainReporter(write: (text: string) => void, options: PlainOptions = {}): Reporter {
  const { coloured = false, columns = () => Infinity, now = () => performance.now() } = options;
  const clock = new SweepClock();
  const printed = new Map<string, number>();

  return {
    onEvent: (event) => {
      clock.observe(event, now());
      if (event.type === 'stage-started') printed.set(event.stage.id, now());
      if (event.type === 'stage-progress') {
        if (now() - (printed.get(event.stage.id) ?? -Infinity) < PROGRESS_EVERY_MS) return;
        printed.set(event.stage.id, now());
      }
      const line = describeEvent(event);
      if (event.type === 'stage-done') {
        const left = describeLeft(clock.left(now()));
        const suffix = left === '' ? '' : `; ${left}`;
        line.text = `${line.text} [${clock.settled}/${clock.total}${suffix}]`;
      }
      write(renderLine(line, coloured, columns()));
    },
    close: () => undefined,
  };
}
