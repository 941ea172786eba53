/** Ends workers that take too long or say nothing, so that one that hangs holds nothing up. */
import type { Worker } from './worker.js';

export interface Limits {
  /** Most seconds of one attempt; Infinity: any. The worker is asked to keep a checkpoint first. */
  time: number;
  /** Most seconds without a word. A worker that computes or waits for a disk speaks every few seconds. */
  silence: number;
}

export const NO_LIMITS: Limits = { time: Infinity, silence: Infinity };

/** Which limit a worker has met. */
export type Overrun = 'timed-out' | 'lost';

export interface Supervision {
  /** To be called whenever the worker says something. */
  heard(): void;
  /** The limit that it met, if any; then it was ended for that. */
  readonly overrun: Overrun | null;
  /** To be called once it has ended. */
  end(): void;
}

/** What a worker whose time is up gets to write its checkpoint. */
const GRACE_SECONDS = 60;
/** Node's timers count milliseconds in 32 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Watches over a worker that has just started. */
export function supervise(worker: Worker, { time, silence }: Limits): Supervision {
  let overrun: Overrun | null = null;
  let grace: NodeJS.Timeout | undefined;
  const whole = after(time, () => {
    overrun ??= 'timed-out';
    worker.interrupt();
    grace = after(GRACE_SECONDS, () => {
      worker.kill();
    });
  });
  const quiet = after(silence, () => {
    overrun ??= 'lost';
    worker.kill();
  });
  return {
    heard: () => quiet?.refresh(),
    get overrun() {
      return overrun;
    },
    end: () => {
      for (const timer of [whole, quiet, grace]) clearTimeout(timer);
    },
  };
}

function after(seconds: number, act: () => void): NodeJS.Timeout | undefined {
  return seconds === Infinity ? undefined : setTimeout(act, Math.min(LONGEST_TIMER_MS, seconds * 1000));
}
