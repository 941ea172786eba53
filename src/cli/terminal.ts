/** Where words go: JSON to standard output, and only where `--json` asks for it; everything else to standard error. */
import { UsageError, messageOf } from '../common/errors.js';
import { environmentProblem } from '../common/environment.js';
import { jsonLine, printable } from '../common/printable.js';

/** Exit codes, the same for every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A line for people. */
export function say(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** One line of JSON for programs. */
export function printJson(value: unknown): void {
  process.stdout.write(`${jsonLine(value)}\n`);
}

/** Tells what went wrong and says with which code to exit. Errors not meant for users keep their stack trace. */
export function fail(thrown: unknown, json: boolean): number {
  const error = environmentProblem(thrown) ?? thrown;
  const expected = error instanceof UsageError;
  if (json) printJson({ error: messageOf(error) });
  if (expected) say(`vitmim: ${error.message}`);
  else
    say(`vitmim: a bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return expected ? EXIT.usage : EXIT.failed;
}
