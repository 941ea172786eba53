/**
 * The errors that vitmim throws on purpose. Each message states what is wrong and what to do about it; the command line
 * prints it without a stack trace. Any other error is a bug and is printed with its trace.
 */

/** Bad usage: an unknown option, a broken spec, a missing file or data set. Exit code 2, nothing written. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** Why a stage failed. src/runner/failures.ts decides the consequence of each. */
export const FAILURE_CAUSES = [
  /** Its process crashed, or threw an unexpected error. */
  'crash',
  'out-of-memory',
  /** Its graphics device was lost: the driver was reset, or the GPU was removed. */
  'device-lost',
  /** The loss was not finite, or far above the first step's. */
  'diverged',
  /** It ran longer than its time limit. */
  'timed-out',
  /** Its process made no progress for too long, its data could not be read for too long, or another sweep took it over. */
  'lost',
  /** It received a stop signal that the sweep did not send: from a scheduler or an administrator. */
  'pre-empted',
  /** An input is invalid: changed data, a damaged file, a missing device. */
  'invalid',
  'disk-full',
] as const;
export type FailureCause = (typeof FAILURE_CAUSES)[number];

/** Training cannot continue: NaN or diverging loss, an unreadable image. Only its stage fails; exit code 1. */
export class TrainingError extends Error {
  override readonly name: string = 'TrainingError';
  readonly failure: FailureCause;

  constructor(message: string, failure: FailureCause = 'invalid') {
    super(message);
    this.failure = failure;
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error of the operating system, such as ENOENT; undefined for any other. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a write failed because the disk or the user's quota is full. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '');
}

/** Marks code that an exhaustive `switch` never reaches. The compiler rejects the call when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
