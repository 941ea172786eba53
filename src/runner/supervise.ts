/**
 * Ends workers that take too long or make no progress, so that one that hangs holds nothing up.
 *
 * A worker is alive by its progress: by anything that it reports except that it waits. A training step on the processor
 * may keep a healthy worker from reporting for as long as the step takes; then its processor time shows that it works.
 */
import { patience as waitFor, type StartPatience } from '../common/patience.js';
import type { StageEvent } from '../store/records.js';
import { cpuSeconds } from './cpu-time.js';
import type { Worker } from './worker.js';

export interface Limits {
  /** Most seconds of one attempt; Infinity: any. The worker receives a signal to keep a checkpoint first. */
  time: number;
  /** Most seconds without progress. */
  silence: number;
}

export const NO_LIMITS: Limits = { time: Infinity, silence: Infinity };

/** Which limit a worker has met. */
export type Overrun = 'timed-out' | 'lost';

export interface WorkerWatch {
  /** Must be called with each event of the worker. */
  heard(event: StageEvent): void;
  /** The limit that it exceeded, and for which it was ended, if any. */
  readonly overrun: Overrun | null;
  /** To be called once it has ended. */
  end(): void;
}

export interface SuperviseOptions {
  /** Aborted when the worker has received a stop signal: from then on it may be without progress for only a minute. */
  stopping?: AbortSignal;
  patience?: StartPatience;
  /** Processor seconds of a process; null: not known. */
  cpu?: (pid: number | null) => number | null;
  /** Milliseconds on a steady clock. */
  now?: () => number;
}

/** Time for a worker that received a stop signal to write its checkpoint. */
const GRACE_SECONDS = 60;
/** Node's timers count milliseconds in 32 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** The share of one core from which on a worker computes. One that waits takes about a hundredth for its clock. */
const BUSY = 0.05;
/** A worker whose event loop turns reports at least this often, if only that it waits. */
export const ALIVE_EVERY_MS = 5_000;

/** Watches over a worker that has just started. */
export function supervise(worker: Worker, { time, silence }: Limits, options: SuperviseOptions = {}): WorkerWatch {
  const { stopping, patience = waitFor } = options;
  let overrun: Overrun | null = null;
  let grace: NodeJS.Timeout | undefined;
  const evidence = new Evidence(worker.pid, options);

  const giveUp = (why: Overrun | null) => (): void => {
    if (evidence.computes()) return;
    overrun ??= why;
    worker.kill();
  };
  const waits = [patience(silence, giveUp('lost'))];
  const onStop = (): void => {
    waits.push(patience(GRACE_SECONDS, giveUp(null)));
  };
  if (stopping?.aborted) onStop();
  else stopping?.addEventListener('abort', onStop, { once: true });
  const whole = after(time, () => {
    overrun ??= 'timed-out';
    worker.interrupt();
    grace = after(GRACE_SECONDS, () => {
      worker.kill();
    });
  });

  return {
    heard: (event) => {
      const progress = event.type !== 'alive' || event.working;
      evidence.heard(progress);
      if (progress) for (const wait of waits) wait.renew();
    },
    get overrun() {
      return overrun;
    },
    end: () => {
      for (const timer of [whole, grace]) clearTimeout(timer);
      for (const wait of waits) wait.end();
      stopping?.removeEventListener('abort', onStop);
    },
  };
}

/** Whether a worker that reports no progress computes, or waits. */
class Evidence {
  readonly #pid: number | null;
  readonly #cpu: (pid: number | null) => number | null;
  readonly #now: () => number;
  /** When it last reported anything, or was found to compute, and its processor time then. */
  #last: { at: number; cpu: number | null };
  #waiting = false;

  constructor(pid: number | null, { cpu = cpuSeconds, now = () => performance.now() }: SuperviseOptions) {
    this.#pid = pid;
    this.#cpu = cpu;
    this.#now = now;
    this.#last = this.#look();
  }

  #look(): { at: number; cpu: number | null } {
    return { at: this.#now(), cpu: this.#cpu(this.#pid) };
  }

  heard(progress: boolean): void {
    this.#waiting = !progress;
    this.#last = this.#look();
  }

  computes(): boolean {
    const [before, now] = [this.#last, this.#look()];
    // It has just reported that it waits, so it used its processor time only to check whether the wait is over.
    if (this.#waiting && now.at - before.at < 2 * ALIVE_EVERY_MS) return false;
    if (before.cpu === null || now.cpu === null) return false;
    const busy = now.cpu - before.cpu >= (BUSY * (now.at - before.at)) / 1000;
    if (busy) this.#last = now;
    return busy;
  }
}

function after(seconds: number, act: () => void): NodeJS.Timeout | undefined {
  return seconds === Infinity ? undefined : setTimeout(act, Math.min(LONGEST_TIMER_MS, seconds * 1000));
}
