/**
 * The errors vitmim raises on purpose. Each says what is wrong and what to do about it; the command line prints them
 * without a stack trace. Anything else that is thrown is a bug and keeps its trace.
 */

/** Bad usage: an unknown option, a broken spec, a missing file or data set. Exit code 2, nothing written. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Why a stage failed. What follows from each is decided in src/runner/failures.ts. */
export const FAILURE_CAUSES = [
  /** Its process died, or threw an unexpected error. */
  'crash',
  'out-of-memory',
  /** Its graphics device went away: a driver that was reset, a card that was taken out. */
  'device-lost',
  /** A loss that is no number, or far above where it began. */
  'diverged',
  /** It took longer than it was given. */
  'timed-out',
  /** Its process made no progress for too long, its data could not be read for too long, or another sweep took it over. */
  'lost',
  /** It received a stop signal that the sweep did not send: from a scheduler or an administrator. */
  'pre-empted',
  /** Something given is wrong: data that changed, a file that is damaged, a device that is not there. */
  'invalid',
  'disk-full',
] as const;
export type FailureCause = (typeof FAILURE_CAUSES)[number];

/** Training cannot go on: NaN or diverging loss, an unreadable image. Fails its stage alone; exit code 1. */
export class TrainingError extends Error {
  override readonly name: string = 'TrainingError';
  readonly failure: FailureCause;

  constructor(message: string, failure: FailureCause = 'invalid') {
    super(message);
    this.failure = failure;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error of the operating system, such as ENOENT; undefined for any other. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a write failed for want of space, or of the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '');
}

/** Marks code that an exhaustive `switch` never reaches. The compiler rejects the call when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
