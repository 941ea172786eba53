/**
 * Writes text: requested output to standard output; progress, warnings and errors to standard error.
 *
 * The reader of either may go away: `| head` has seen enough, Ctrl-C ends `tee`, a terminal is closed. What is written
 * after that is dropped, and the command continues: it may be training.
 */
import { environmentProblem } from '../common/environment.js';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { jsonLine, printable } from '../common/printable.js';
import { wrap } from '../common/wrap.js';

/** Exit codes, the same for every command. A command that a signal stopped has a code of `stop-codes.ts`. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** The errors of a write after the reader has closed the other end; EIO: the terminal. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

let readerGone = false;
let failure: Error | undefined;
let surviving = false;

/** From now on, a failed write to standard output or standard error ends nothing. */
export function surviveReaders(): void {
  if (surviving) return;
  surviving = true;
  process.stdout.on('error', (error: Error) => {
    if (READER_GONE.has(errorCode(error) ?? '')) readerGone = true;
    else failure ??= error;
  });
  // There is no place left to report its failures.
  process.stderr.on('error', () => undefined);
}

/** Whether the reader of standard output is known to be gone: commands that only print may end. */
export const isReaderGone = (): boolean => readerGone;

/** Why standard output is incomplete although its reader is there, such as a full disk; undefined: it is complete. */
export async function outputFailure(): Promise<Error | undefined> {
  await new Promise((resolve) => setImmediate(resolve)); // errors of writes come with the next turn
  return failure;
}

/** Requested lines, without control characters. */
export function print(text: string): void {
  printRaw(`${printable(text)}\n`);
}

/** Requested text, unchanged. */
export function printRaw(text: string): void {
  if (!readerGone) process.stdout.write(text);
}

/** One line of JSON for programs. */
export function printJson(value: unknown): void {
  print(jsonLine(value));
}

/** A line for people: progress, a warning, an error. On a terminal it is broken between words. */
export function say(text: string): void {
  const { isTTY, columns } = process.stderr;
  process.stderr.write(`${wrap(printable(text), isTTY ? columns || 80 : Infinity, 2)}\n`);
}

/**
 * Columns that printed text may take: those of the terminal, or of the variable COLUMNS. A file or a pipe has no limit
 * otherwise, so that nothing is left out of it.
 */
export function printedWidth(stream: { isTTY?: boolean; columns?: number } = process.stdout): number {
  if (stream.isTTY && stream.columns) return stream.columns;
  const columns = Number(process.env.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : stream.isTTY ? 80 : Infinity;
}

/** Prints lines within the width; what does not fit continues in the next line, indented by so many columns. */
export function printWrapped(text: string, indent = 0): void {
  print(wrap(text, printedWidth(), indent));
}

/** Prints an error and returns the exit code. Errors that are bugs keep their stack trace. */
export function fail(thrown: unknown, json: boolean): number {
  const error = environmentProblem(thrown) ?? thrown;
  const expected = error instanceof UsageError;
  if (json) printJson({ error: messageOf(error) });
  if (expected) say(`vitmim: ${error.message}`);
  else
    say(`vitmim: a bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return expected ? EXIT.usage : EXIT.failed;
}
