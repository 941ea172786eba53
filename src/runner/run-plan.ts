/**
 * Runs a frozen plan: skips what is done, starts what is ready and needed, and reports every event. When a stage has
 * ended, the rules of the plan may want further stages. A stage runs under a claim, so two sweeps on one folder do not
 * run it both. Does not depend on tensors.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDiskFull, messageOf } from '../common/errors.js';
import { referTo, type StageRef } from '../spec/describe.js';
import { roundsOf } from '../spec/rounds.js';
import { countEntries, type Stage } from '../spec/stages.js';
import type { Claim, ClaimOwner } from '../store/claims.js';
import { sweepPaths, type SweepPaths } from '../store/layout.js';
import { nextAttempt, runAttempt, type AttemptOutcome } from './attempt.js';
import type { RunEvent, StopReason, RunSummary } from './events.js';
import { mayHelpToRetry, pauseBeforeRetry } from './failures.js';
import { Held } from './held.js';
import { isDoneByNow } from './inspect.js';
import { endOrphan } from './orphans.js';
import { relay } from './relay.js';
import type { RunOptions } from './run-options.js';
import { encoderOf, StageQueue } from './stage-queue.js';
import { newSummary, withoutNeedless } from './summary.js';
import { NO_LIMITS } from './supervise.js';
import { Worklist } from './worklist.js';

/**
 * Runs the missing stages of the plan.
 *
 * @returns how every stage ended, once no worker is left.
 * @throws if the results folder cannot be written for another reason than a full disk. All workers have ended by then.
 */
export async function runPlan(options: RunOptions): Promise<RunSummary> {
  return new PlanRun(options).run();
}

/** A place for a worker. */
interface Slot {
  busy: boolean;
  /** See {@link encoderOf}, of its stage or else of its last one. */
  encoder: string | null;
}

/** One run of a plan. */
class PlanRun {
  readonly #options: RunOptions;
  readonly #paths: SweepPaths;
  readonly #worklist: Worklist;
  /** Stages that failed in this run, or whose parents did. */
  readonly #failed = new Map<string, Stage>();
  /** Whether a stage has ended since the rules were applied last. */
  #hasNews = false;
  readonly #schedule: StageQueue;
  #summary: RunSummary;
  readonly #held: Held;
  /** Attempts made in this run. */
  readonly #attempts = new Map<string, number>();
  readonly #slots: Slot[];
  /** Pauses before stages that are to be tried again, here or after another sweep. */
  readonly #waiting = new Set<Promise<void>>();
  /** Stages that another sweep was seen to run. */
  readonly #elsewhere = new Set<string>();
  /** Aborted when no further stage may start. */
  readonly #closing = new AbortController();
  /** Aborted when workers have received a stop signal: what ends now was interrupted. */
  readonly #stopping = new AbortController();
  /** The advice that was reported: every worker on this machine gives the same. */
  readonly #advice = new Set<string>();
  readonly #crashes: unknown[] = [];

  constructor(options: RunOptions) {
    const { plan, folder, jobs } = options;
    this.#options = options;
    // One for each worker, or each wait.
    setMaxListeners(0, this.#closing.signal, this.#stopping.signal);
    this.#held = new Held(options.launch);
    this.#paths = sweepPaths(folder);
    this.#worklist = new Worklist(options, this.#paths);
    const toRun = this.#worklist.of('run');
    this.#schedule = new StageQueue(toRun, roundsOf(plan));
    this.#slots = Array.from({ length: jobs }, () => ({ busy: false, encoder: null }));
    this.#summary = newSummary(this.#worklist);
    const { stages, hits } = this.#summary;
    this.#report({
      type: 'plan-started',
      name: plan.name,
      folder,
      stages,
      hits,
      toRun: countEntries(plan, toRun),
      jobs,
    });
    for (const stage of this.#worklist.of('hit')) {
      this.#report({ type: 'stage-hit', stage: this.#refer(stage), why: this.#worklist.inspectionOf(stage).why });
    }
  }

  async run(): Promise<RunSummary> {
    const { signal, killSignal } = this.#options;
    const began = performance.now();
    const onStop = (): void => {
      this.#stop('asked');
    };
    const onKill = (): void => {
      this.#held.kill();
    };
    if (signal.aborted) this.#closing.abort();
    signal.addEventListener('abort', onStop);
    killSignal?.addEventListener('abort', onKill);
    const renewal = this.#held.keepRenewing();
    try {
      await this.#runAll();
    } finally {
      renewal.end();
      signal.removeEventListener('abort', onStop);
      killSignal?.removeEventListener('abort', onKill);
    }
    const seconds = (performance.now() - began) / 1000;
    this.#summary = { ...this.#summary, ...this.#worklist.unwanted(), seconds };
    const needs = this.#options.needs?.();
    if (needs !== undefined) this.#summary = withoutNeedless(this.#summary, needs);
    this.#report({ type: 'run-ended', summary: this.#summary });
    return this.#summary;
  }

  /** Keeps every slot busy until no stage is left. If a stage throws, waits for the others and rethrows. */
  async #runAll(): Promise<void> {
    const running = new Set<Promise<void>>();
    const launch = (stage: Stage, slot: number): void => {
      this.#slots[slot] = { busy: true, encoder: encoderOf(stage) };
      const task: Promise<void> = this.#runStage(stage, slot)
        .catch((error: unknown) => {
          this.#crashes.push(error);
          this.#stop('crash');
        })
        .finally(() => {
          this.#slots[slot]!.busy = false;
          running.delete(task);
        });
      running.add(task);
    };
    for (;;) {
      if (this.#hasNews || running.size + this.#waiting.size === 0) this.#extend();
      for (let slot = this.#freeSlot(); slot >= 0 && !this.#closing.signal.aborted; slot = this.#freeSlot()) {
        const stage = this.#schedule.next({
          last: this.#slots[slot]!.encoder,
          others: this.#slots.filter(({ busy }) => busy).map(({ encoder }) => encoder),
        });
        if (stage === undefined) break;
        launch(stage, slot);
      }
      if (running.size + this.#waiting.size === 0) break;
      await Promise.race([...running, ...this.#waiting]);
    }
    if (this.#crashes.length > 0) throw this.#crashes[0];
  }

  /** Adds the stages that the rules of the plan want by now. */
  #extend(): void {
    this.#hasNews = false;
    if (this.#closing.signal.aborted) return;
    const extension = this.#worklist.extend((id) => this.#failed.has(id));
    if (extension === undefined) return;
    const { toRun, hits, why } = extension;
    this.#summary.hits += hits;
    this.#report({ type: 'plan-extended', toRun: countEntries(this.#options.plan, toRun), why });
    const ready = toRun.filter((stage) => !this.#isBlocked(stage));
    this.#summary.pending += ready.length;
    this.#schedule.add(ready);
  }

  /** Whether a stage cannot run, since its parent failed in this run; then it counts as blocked. */
  #isBlocked(stage: Stage): boolean {
    const by = stage.parent === null ? undefined : this.#failed.get(stage.parent);
    if (by === undefined) return false;
    this.#block(stage, by);
    return true;
  }

  #block(stage: Stage, by: Stage): void {
    const ref = this.#refer(stage);
    this.#failed.set(stage.id, stage);
    this.#summary.blocked.push(ref);
    this.#report({ type: 'stage-blocked', stage: ref, by: this.#refer(by) });
  }

  #freeSlot(): number {
    return this.#slots.findIndex(({ busy }) => !busy);
  }

  /** Makes a stage ready again after a while, unless nothing new starts by then. */
  #postpone(stage: Stage, seconds: number, onClosed: () => void = () => undefined): void {
    const pause: Promise<void> = sleep(seconds * 1000, undefined, { signal: this.#closing.signal })
      .then(() => {
        this.#schedule.again(stage);
      }, onClosed)
      .finally(() => this.#waiting.delete(pause));
    this.#waiting.add(pause);
  }

  async #runStage(stage: Stage, slot: number): Promise<void> {
    const own = this.#paths.stage(stage.id);
    try {
      const got = await this.#held.under(stage.id, own, (claim) => this.#runClaimed(stage, claim, slot));
      if (got !== true) this.#leaveTo(stage, got.holder);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      const reason = `the disk of the results folder is full (${messageOf(error)}); make room and run again`;
      this.#settle(stage, { kind: 'failed', cause: 'disk-full', reason }, 0);
    }
  }

  async #runClaimed(stage: Stage, claim: Claim, slot: number): Promise<void> {
    const ref = this.#refer(stage);
    const own = this.#paths.stage(stage.id);
    await endOrphan(own);
    // Another sweep may have worked on it since this one looked, or its parent left the same checkpoint again.
    const inspection = this.#worklist.inspectionOf(stage);
    if (!this.#attempts.has(stage.id) && isDoneByNow(stage, own, inspection)) {
      this.#summary.pending -= 1;
      this.#summary.hits += 1;
      this.#schedule.done(stage);
      this.#hasNews = true;
      const why = inspection.recheck ? 'done before, from the same checkpoint' : 'done by another sweep meanwhile';
      this.#report({ type: 'stage-found', stage: ref, why });
      return;
    }
    const number = nextAttempt(own);
    const made = this.#attempts.get(stage.id) ?? 0;
    this.#attempts.set(stage.id, made + 1);
    if (made === 0) this.#summary.pending -= 1;
    const why = made === 0 ? inspection.why : 'trying again';
    this.#report({ type: 'stage-started', stage: ref, attempt: number, why });
    const start = performance.now();
    const outcome = await runAttempt({
      stage,
      paths: own,
      number,
      launch: (options) => this.#held.launch(options),
      claim: claim.id,
      slot,
      limits: this.#options.limits ?? NO_LIMITS,
      onEvent: (event) => {
        for (const reported of relay(stage, ref, event)) {
          if (reported.type !== 'advice') this.#report(reported);
          else if (!this.#advice.has(reported.message)) {
            this.#advice.add(reported.message);
            this.#report(reported);
          }
        }
      },
      stopping: this.#stopping.signal,
    });
    this.#settle(stage, outcome, (performance.now() - start) / 1000);
  }

  /** Another sweep runs it: look again later. */
  #leaveTo(stage: Stage, holder: ClaimOwner | null): void {
    const { lookEvery = 1 } = this.#options;
    if (!this.#elsewhere.has(stage.id)) {
      this.#elsewhere.add(stage.id);
      this.#report({ type: 'stage-elsewhere', stage: this.#refer(stage), host: holder?.host ?? null });
    }
    this.#postpone(stage, lookEvery);
  }

  #settle(stage: Stage, outcome: AttemptOutcome, seconds: number): void {
    const ref = this.#refer(stage);
    const { maxAttempts = 1, retryPause = 1, onFailure = 'continue' } = this.#options;
    switch (outcome.kind) {
      case 'done':
        this.#summary.done += 1;
        this.#schedule.done(stage);
        this.#hasNews = true;
        if (outcome.warning !== null) this.#report({ type: 'stage-warning', stage: ref, message: outcome.warning });
        this.#report({ type: 'stage-done', stage: ref, result: outcome.result, seconds });
        break;
      case 'deposed':
        // Another sweep took this process for dead.
        this.#attempts.delete(stage.id);
        this.#summary.pending += 1;
        this.#leaveTo(stage, null);
        break;
      case 'failed': {
        const { cause, reason } = outcome;
        const made = this.#attempts.get(stage.id) ?? 0;
        if (mayHelpToRetry(cause) && made < maxAttempts && !this.#closing.signal.aborted) {
          const pause = pauseBeforeRetry(made, retryPause);
          this.#report({ type: 'stage-retry', stage: ref, cause, reason, pause, attempts: made, maxAttempts });
          this.#postpone(stage, pause, () => {
            this.#summary.interrupted.push(ref);
          });
          break;
        }
        if (made === 0) this.#summary.pending -= 1; // the disk was full before it began
        this.#fail(stage, { cause, reason, attempts: made, seconds });
        if (cause === 'disk-full') this.#stop('disk-full');
        else if (onFailure !== 'continue') this.#stop(onFailure);
        break;
      }
      case 'interrupted':
        this.#summary.interrupted.push(ref);
        this.#report({ type: 'stage-interrupted', stage: ref, seconds });
    }
  }

  #fail(stage: Stage, how: Omit<RunSummary['failed'][number], 'stage' | 'log'>): void {
    const ref = this.#refer(stage);
    const failure = { stage: ref, ...how, log: this.#paths.stage(stage.id).log };
    this.#summary.failed.push(failure);
    this.#failed.set(stage.id, stage);
    this.#hasNews = true;
    this.#report({ type: 'stage-failed', ...failure });
    for (const child of this.#schedule.blockedBy(stage)) {
      this.#summary.pending -= 1;
      this.#block(child, stage);
    }
  }

  /** Starts nothing new; the reason decides whether running stages may end normally. */
  #stop(why: StopReason): void {
    if (this.#closing.signal.aborted && (this.#stopping.signal.aborted || why !== 'asked')) return;
    this.#closing.abort();
    this.#report({ type: 'run-stopping', why, workers: this.#held.size });
    if (why === 'no-new') return;
    this.#stopping.abort();
    if (why === 'kill') this.#held.kill();
    else this.#held.interrupt();
  }

  #report(event: RunEvent): void {
    this.#options.onEvent(event);
  }

  #refer(stage: Stage): StageRef {
    return referTo(this.#options.plan, stage);
  }
}
