/** Signals that stop a process, and the exit code of a process that stopped: 128 and the number of the signal. */

export const STOP_CODES = { SIGHUP: 129, SIGINT: 130, SIGUSR1: 138, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof STOP_CODES;

const CODES: ReadonlySet<number> = new Set(Object.values(STOP_CODES));

/** Whether a process that ended with this exit code was stopped by a signal, and kept a checkpoint if it could. */
export const isStopCode = (code: number): boolean => CODES.has(code);
