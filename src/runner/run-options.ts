/** The options of a run of a plan. */
import type { AskNeeds } from '../decide/needs.js';
import type { Plan } from '../spec/stages.js';
import type { RunEvent } from './events.js';
import type { FailureMode } from './failures.js';
import type { Limits } from './supervise.js';
import type { Launch } from './worker.js';

export interface RunOptions {
  plan: Plan;
  /** The results folder. The caller keeps the plan in it. */
  folder: string;
  /** Most workers at once, at least 1. */
  jobs: number;
  launch: Launch;
  onEvent: (event: RunEvent) => void;
  /** Aborted to stop early: nothing new starts, workers keep a checkpoint and end. */
  signal: AbortSignal;
  /** Aborted if stopping takes too long: workers are killed. */
  killSignal?: AbortSignal;
  /** The stages to run, with the parents of each that have no result; default: all. */
  only?: ReadonlySet<string>;
  /** Which stages the rules of the whole plan want now, computed again after each stage; default: all. */
  needs?: AskNeeds;
  /** The difference between a stage without files and the stage that it replaces; see `src/spec/changes.ts`. */
  changes?: ReadonlyMap<string, string>;
  /** How a failure affects the other stages; default: `continue`. */
  onFailure?: FailureMode;
  /** Most attempts at a stage in this run, for failures after which another attempt may succeed; default: 1. */
  maxAttempts?: number;
  /** Seconds before the second attempt; later ones wait longer. */
  retryPause?: number;
  limits?: Limits;
  /** Seconds between two looks at a stage that another sweep runs. */
  lookEvery?: number;
}
