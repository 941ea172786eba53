/** One line of JSON per event, for programs. */
import { jsonLine } from '../../common/printable.js';
import type { RunEvent } from '../events.js';
import type { Reporter } from './reporter.js';

export function jsonReporter(write: (text: string) => void): Reporter {
  return {
    onEvent: (event) => {
      write(`${jsonLine(flat(event))}\n`);
    },
    close: () => undefined,
  };
}

/** Metrics are keys of the event itself, as they are of a line of `metrics.jsonl`. */
function flat(event: RunEvent): object {
  if (event.type !== 'stage-evaluated') return event;
  const { metrics, ...rest } = event;
  return { ...rest, ...metrics };
}
