/** One line of JSON per event, for programs. */
import type { Reporter } from './reporter.js';

export function jsonReporter(write: (text: string) => void): Reporter {
  return {
    onEvent: (event) => {
      write(`${JSON.stringify(event)}\n`);
    },
    close: () => undefined,
  };
}
