/**
 * How much work this process has done: images read, steps taken. A worker that waits for a disk that does not answer
 * still has a running clock, but no progress here.
 */
let done = 0;

/** Counts one piece of work that took the process further. */
export function countWork(): void {
  done += 1;
}

/** Pieces of work so far. Only the difference between two calls has a meaning. */
export const workDone = (): number => done;
