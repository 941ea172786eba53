/**
 * Waiting with a limit, measured in turns of the event loop. Time in which this process was suspended, or computed
 * without a turn of the loop, counts at most as one slice: what was waited for may have come meanwhile, and is seen
 * before the limit is reached.
 */

export interface Patience {
  /** The wait begins anew. */
  renew(): void;
  end(): void;
}

/** How waits are started; tests have one without a clock. */
export type StartPatience = (seconds: number, onEnd: () => void) => Patience;

const SLICES = 10;
/** Node's timers count milliseconds in 32 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls `onEnd` once nothing has renewed the wait for so many seconds, and again after as many, until it is ended.
 * Infinity: never. It keeps no process alive.
 */
export const patience: StartPatience = (seconds, onEnd) => {
  let slices = 0;
  const timer =
    seconds === Infinity
      ? undefined
      : setInterval(
          () => {
            slices += 1;
            if (slices < SLICES) return;
            slices = 0;
            onEnd();
          },
          Math.min(LONGEST_TIMER_MS, (seconds * 1000) / SLICES),
        ).unref();
  return {
    renew: () => {
      slices = 0;
    },
    end: () => {
      clearInterval(timer);
    },
  };
};
