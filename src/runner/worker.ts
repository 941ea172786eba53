/**
 * A worker as the runner sees it: a process that runs one stage, reports its progress and ends. How one is
 * started is a launcher's business (`local.ts`).
 */
import type { Stage } from '../spec/stages.js';
import type { StagePaths } from '../store/layout.js';
import type { StageEvent } from '../store/records.js';

/** How a worker's process ended. */
export type WorkerEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  /** It could not be started at all. */
  | { kind: 'unstartable'; reason: string };

export interface Worker {
  /** null if the worker is no process of this machine. */
  readonly pid: number | null;
  /** Resolves once the process has ended and all its messages were read. Never rejects. */
  readonly ended: Promise<WorkerEnd>;
  /** Asks it to keep a checkpoint and to end, with an exit code of `stop-codes.ts`. */
  interrupt(): void;
  /** Ends it at once. */
  kill(): void;
}

export interface LaunchOptions {
  /** Its `stage.json` is written. */
  stage: Stage;
  paths: StagePaths;
  /** The claim it works under; it writes nothing once the stage is claimed by another. */
  claim: string;
  /** Which of the run's places it takes, from 0: a place stands for a share of the machine, such as one GPU. */
  slot: number;
  /** Called until `ended` resolves. */
  onEvent: (event: StageEvent) => void;
}

/** Starts the worker of a stage. */
export type Launch = (options: LaunchOptions) => Worker;

/** The end of a process in words. */
export function describeEnd(end: WorkerEnd): string {
  switch (end.kind) {
    case 'exit':
      return `exit code ${end.code}`;
    case 'signal':
      return `killed by ${end.signal}`;
    case 'unstartable':
      return `it could not be started: ${end.reason}`;
  }
}
