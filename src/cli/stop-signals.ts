/** Signals that stop a command: at the first, its workers keep a checkpoint; Ctrl-C after it kills them. */
import { STOP_CODES, type StopSignal } from '../common/stop-codes.js';

/** Ctrl-C, a scheduler or a shutdown, a closed terminal. */
export const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const satisfies readonly StopSignal[];
/** Slurm also sends SIGUSR1, ahead of a time limit. */
export const STOPPING_STAGES = [...STOPPING, 'SIGUSR1'] as const satisfies readonly StopSignal[];

export interface StopRequest {
  /** Aborted by the first signal. */
  readonly stop: AbortSignal;
  /** Aborted by Ctrl-C after it. */
  readonly kill: AbortSignal;
  /** The first signal; null: there was none. */
  readonly by: StopSignal | null;
  /** Signals have their default effect again. */
  end(): void;
}

/** The source of signals: a process. */
interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
}

interface Options {
  /** Milliseconds on a steady clock. */
  now?: () => number;
  source?: SignalSource;
}

/** npm and `timeout` pass a signal on that the process group gets as well: one stop arrives twice. */
const SAME_STOP_MS = 500;

/**
 * Listens for signals until it is ended. Only SIGINT kills, since only it comes from a person who waits: a terminal
 * that closes and a service manager send several signals in a row and mean one stop.
 */
export function onStopSignals(signals: readonly StopSignal[], options: Options = {}): StopRequest {
  const { now = () => performance.now(), source = process } = options;
  const [stop, kill] = [new AbortController(), new AbortController()];
  let first: StopSignal | null = null;
  let last = -Infinity;
  const onSignal = (signal: StopSignal): void => {
    if (now() - last < SAME_STOP_MS) return;
    last = now();
    if (first === null) {
      first = signal;
      stop.abort();
    } else if (signal === 'SIGINT') kill.abort();
  };
  for (const signal of signals) source.on(signal, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    get by() {
      return first;
    },
    end: () => {
      for (const signal of signals) source.off(signal, onSignal);
    },
  };
}

/** The exit code of a command that a signal stopped. */
export const stopCode = (signal: StopSignal): number => STOP_CODES[signal];
