/** Shows the progress of a run. One reporter serves one run; `close` may be called twice, and after any failure. */
import type { RunEvent } from '../events.js';

export interface Reporter {
  onEvent(event: RunEvent): void;
  /** Leaves the terminal as it was found. */
  close(): void;
}

/** The stream to which a reporter writes: `process.stderr`, `process.stdout`, or a stream of a test. */
export type OutputStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** Columns of a line: those of the terminal, 80 if it does not report them. The lines of a log file have no limit. */
export const terminalColumns = ({ isTTY, columns }: OutputStream): number =>
  isTTY === true ? (columns ?? 80) : Infinity;
