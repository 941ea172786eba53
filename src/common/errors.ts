/**
 * The errors vitmim raises on purpose. Each says what is wrong and what to do about it; the command line prints them
 * without a stack trace. Anything else that is thrown is a bug and keeps its trace.
 */

/** Bad usage: an unknown option, a broken spec, a missing file or data set. Exit code 2, nothing written. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Training cannot go on: NaN or diverging loss, an unreadable image. Fails its stage alone; exit code 1. */
export class TrainingError extends Error {
  override readonly name: string = 'TrainingError';
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Marks code that an exhaustive `switch` never reaches. The compiler rejects the call when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
