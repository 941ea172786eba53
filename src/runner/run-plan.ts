/**
 * Runs a frozen plan: skips what is done, starts what is ready, never more workers at once than allowed, and tells
 * everything that happens. One failure stops nothing but the stages that depend on it. Knows nothing of tensors.
 */
import type { Plan, Stage } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import type { StageEvent } from '../store/records.js';
import { nextAttempt, runAttempt, type Outcome } from './attempt.js';
import { describeStage } from './describe.js';
import type { KindCounts, RunEvent, StageRef, Summary } from './events.js';
import { inspectPlan } from './inspect.js';
import { Schedule } from './schedule.js';
import type { Launch, Worker } from './worker.js';

export interface RunOptions {
  plan: Plan;
  /** The results folder. `plan.json` in it is the caller's business. */
  folder: string;
  /** Most workers at once, at least 1. */
  jobs: number;
  launch: Launch;
  onEvent: (event: RunEvent) => void;
  /** Aborted to stop early: nothing new starts, workers are asked to keep a checkpoint and end. */
  signal: AbortSignal;
  /** Aborted where that takes too long: workers are killed. */
  killSignal?: AbortSignal;
}

/**
 * Runs what is missing of the plan.
 *
 * @returns how every stage ended, once no worker is left.
 * @throws where the results folder cannot be written; all workers have ended by then.
 */
export async function runPlan(options: RunOptions): Promise<Summary> {
  const { plan, folder, jobs, onEvent, signal } = options;
  const paths = sweepPaths(folder);
  const verdicts = inspectPlan(plan, paths);
  const wanted = plan.stages.filter(({ id }) => verdicts.get(id)!.kind === 'run');
  const schedule = new Schedule(wanted);
  const workers = new Workers(options);
  const began = performance.now();
  const summary: Summary = {
    stages: plan.stages.length,
    done: 0,
    hits: plan.stages.length - wanted.length,
    failed: [],
    blocked: [],
    interrupted: [],
    pending: wanted.length,
    seconds: 0,
  };

  const refer = (stage: Stage): StageRef => ({
    id: stage.id,
    kind: stage.config.kind,
    name: describeStage(plan, stage),
  });
  const { name, stages } = plan;
  onEvent({
    type: 'plan-started',
    name,
    folder,
    stages: stages.length,
    hits: summary.hits,
    toRun: kinds(wanted),
    jobs,
  });
  for (const stage of stages) {
    const { kind, why } = verdicts.get(stage.id)!;
    if (kind === 'hit') onEvent({ type: 'stage-hit', stage: refer(stage), why });
  }

  const run = async (stage: Stage): Promise<void> => {
    const ref = refer(stage);
    const own = paths.stage(stage.id);
    const number = nextAttempt(own);
    summary.pending -= 1;
    onEvent({ type: 'stage-started', stage: ref, attempt: number, why: verdicts.get(stage.id)!.why });
    const start = performance.now();
    const outcome = await runAttempt({
      stage,
      paths: own,
      number,
      launch: workers.launch,
      onEvent: (event) => {
        for (const told of relay(stage, ref, event)) onEvent(told);
      },
      stopping: () => signal.aborted,
    });
    settle(stage, ref, outcome, (performance.now() - start) / 1000);
  };

  const settle = (stage: Stage, ref: StageRef, outcome: Outcome, seconds: number): void => {
    switch (outcome.kind) {
      case 'done':
        summary.done += 1;
        schedule.done(stage);
        if (outcome.warning !== null) onEvent({ type: 'stage-warning', stage: ref, message: outcome.warning });
        onEvent({ type: 'stage-done', stage: ref, result: outcome.result, seconds });
        break;
      case 'failed': {
        const failure = { stage: ref, reason: outcome.reason, log: paths.stage(stage.id).log, seconds };
        summary.failed.push(failure);
        onEvent({ type: 'stage-failed', ...failure });
        for (const child of schedule.blockedBy(stage).map(refer)) {
          summary.pending -= 1;
          summary.blocked.push(child);
          onEvent({ type: 'stage-blocked', stage: child, by: ref });
        }
        break;
      }
      case 'interrupted':
        summary.interrupted.push(ref);
        onEvent({ type: 'stage-interrupted', stage: ref, seconds });
    }
  };

  try {
    await runAll({
      schedule,
      run,
      jobs,
      signal,
      onCrash: () => {
        workers.interrupt();
      },
    });
  } finally {
    workers.release();
  }
  summary.seconds = (performance.now() - began) / 1000;
  onEvent({ type: 'run-ended', summary });
  return summary;
}

interface Pool {
  schedule: Schedule;
  run: (stage: Stage) => Promise<void>;
  jobs: number;
  signal: AbortSignal;
  onCrash: () => void;
}

/** Keeps at most `jobs` stages running until none is ready. Where one throws, waits for the others and throws on. */
async function runAll({ schedule, run, jobs, signal, onCrash }: Pool): Promise<void> {
  const running = new Set<Promise<void>>();
  const crashes: unknown[] = [];
  for (;;) {
    while (running.size < jobs && !signal.aborted && crashes.length === 0) {
      const stage = schedule.next();
      if (stage === undefined) break;
      const task: Promise<void> = run(stage)
        .catch((error: unknown) => {
          crashes.push(error);
          onCrash();
        })
        .finally(() => running.delete(task));
      running.add(task);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (crashes.length > 0) throw crashes[0];
}

/** The workers that are alive, so that a signal reaches every one of them. */
class Workers {
  private readonly alive = new Set<Worker>();
  private readonly options: RunOptions;

  constructor(options: RunOptions) {
    this.options = options;
    options.signal.addEventListener('abort', this.stop);
    options.killSignal?.addEventListener('abort', this.kill);
  }

  readonly launch: Launch = (stage, paths, onEvent) => {
    const worker = this.options.launch(stage, paths, onEvent);
    this.alive.add(worker);
    void worker.ended.then(() => this.alive.delete(worker));
    return worker;
  };

  private readonly stop = (): void => {
    this.options.onEvent({ type: 'run-stopping', workers: this.alive.size });
    this.interrupt();
  };

  readonly interrupt = (): void => {
    for (const worker of this.alive) worker.interrupt();
  };

  private readonly kill = (): void => {
    for (const worker of this.alive) worker.kill();
  };

  release(): void {
    this.options.signal.removeEventListener('abort', this.stop);
    this.options.killSignal?.removeEventListener('abort', this.kill);
  }
}

function kinds(stages: readonly Stage[]): KindCounts {
  const counts: KindCounts = {};
  // The stages of the longest chains come first, as they will in the run.
  for (const kind of ['pretrain', 'finetune', 'linear', 'knn'] as const) {
    const count = stages.filter(({ config }) => config.kind === kind).length;
    if (count > 0) counts[kind] = count;
  }
  return counts;
}

/** What a worker says, as an event of the run. How it ended is told once its process has. */
function relay({ config }: Stage, stage: StageRef, event: StageEvent): RunEvent[] {
  switch (event.type) {
    case 'started':
      return [{ ...event, type: 'stage-training', stage }];
    case 'progress': {
      const epochs = config.kind === 'knn' ? null : config.recipe.epochs;
      return [{ ...event, type: 'stage-progress', stage, epochs }];
    }
    case 'evaluated':
      return [{ ...event, type: 'stage-evaluated', stage }];
    case 'warning':
      return [{ ...event, type: 'stage-warning', stage }];
    case 'done':
    case 'failed':
      return [];
  }
}
