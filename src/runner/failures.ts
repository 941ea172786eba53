/** The consequences of a failure: whether another attempt may succeed, and when it may start. */
import { unreachable, type FailureCause } from '../common/errors.js';

/** What a run does after a stage has failed for good: wireit's three. */
export const FAILURE_MODES = ['continue', 'no-new', 'kill'] as const;
export type FailureMode = (typeof FAILURE_MODES)[number];

/** Whether the same work, from its last checkpoint, may end otherwise the next time. */
export function mayHelpToRetry(cause: FailureCause): boolean {
  switch (cause) {
    case 'crash':
    case 'device-lost':
    case 'lost':
    case 'timed-out':
    case 'pre-empted':
      return true;
    case 'out-of-memory': // it needs as much again
    case 'diverged': // every draw is a function of the seed
    case 'invalid':
    case 'disk-full':
      return false;
    default:
      return unreachable(cause);
  }
}

const LONGEST_PAUSE = 60;

/** Seconds before the next attempt: 1, 4, 16, then 60, times `first`. */
export function pauseBeforeRetry(attemptsMade: number, first = 1): number {
  return first * Math.min(LONGEST_PAUSE, 4 ** (attemptsMade - 1));
}
