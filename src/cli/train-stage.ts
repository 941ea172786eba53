/** What `vitmim train` does: opens the device, runs the stage, and says how it ended. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { openDevice } from '../backends/open.js';
import type { Device } from '../backends/device.js';
import { isDiskFull, messageOf, TrainingError, UsageError, type FailureCause } from '../common/errors.js';
import { NoAnswer } from '../data/answered.js';
import { collectOrigin, thisMachine } from '../runner/provenance.js';
import { Claimant, holdsClaim, RENEW_EVERY_MS, type Claim } from '../store/claims.js';
import { readJson } from '../store/files.js';
import { stagePaths, sweepPaths, type StagePaths } from '../store/layout.js';
import { readOrigin, recordAttempt, storeOrigin, type Origin } from '../store/provenance.js';
import { stageSchema, type StageEvent } from '../store/records.js';
import { describeMeasured } from '../stages/metrics.js';
import type { StageKind } from '../spec/stages.js';
import { Interrupted } from '../training/loop.js';
import { runStage } from '../training/run-stage.js';
import type { DeviceChoice } from './options.js';
import { EXIT, printJson, say } from './terminal.js';
import { VERSION } from './version.js';

export interface TrainOptions {
  device: DeviceChoice;
  threads?: number;
  checkpointMinutes: number;
  claim?: string;
  origin?: string;
  json?: true;
}

/** How often a worker lets its sweep know that it lives. */
const ALIVE_EVERY_MS = 5_000;

/** Runs the stage at `file` and returns the exit code. */
export async function trainStage(file: string, options: TrainOptions): Promise<number> {
  const stage = existsSync(file) ? readJson(file, stageSchema) : undefined;
  if (!stage) throw new UsageError(`there is no stage at ${file}`);
  const paths = stagePaths(dirname(file));
  const emit = (event: StageEvent): void => {
    if (options.json) printJson(event);
    else if (event.type !== 'alive') say(describe(event, stage.config.kind));
  };
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  for (const signal of STOPPING) process.on(signal, onSignal);
  const own = options.claim === undefined ? claimForMyself(paths) : undefined;
  if (options.claim !== undefined) endWithParent();
  const claim = options.claim ?? own!.id;
  const alive = setInterval(
    () => {
      own?.renew();
      emit({ type: 'alive' });
    },
    own ? RENEW_EVERY_MS : ALIVE_EVERY_MS,
  );

  let device: Device | undefined;
  try {
    device = await openDevice(options.device, { threads: options.threads });
    const { name, description, details } = device;
    recordAttempt(paths, {
      origin: options.origin === undefined ? await ownOrigin(paths) : readOrigin(options.origin),
      machine: thisMachine(),
      device: { name, description, details },
    });
    const result = await runStage(stage, paths, {
      device: description,
      emit,
      signal: stop.signal,
      checkpointEvery: options.checkpointMinutes * 60_000,
      cores: options.threads ?? availableParallelism(),
      mayWrite: () => {
        if (!holdsClaim(paths, claim)) throw new TrainingError('another sweep has taken the stage over', 'lost');
      },
    });
    emit({ type: 'done', result });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.interrupted;
    const cause = causeOf(error);
    if (cause === null) throw error; // a bug: its trace goes to the stage's log
    emit({ type: 'failed', cause, reason: reasonOf(error) });
    return EXIT.failed;
  } finally {
    clearInterval(alive);
    own?.release();
    for (const signal of STOPPING) process.off(signal, onSignal);
    device?.close();
  }
}

/** Each asks to keep a checkpoint and end. Schedulers of clusters send SIGUSR1 or SIGTERM ahead of the end. */
const STOPPING = ['SIGTERM', 'SIGINT', 'SIGUSR1'] as const;

/** A stage that is trained by hand is claimed like any other. */
function claimForMyself(paths: StagePaths): Claim {
  const got = new Claimant().claim(paths);
  if ('claim' in got) return got.claim;
  const who = got.holder ? `process ${got.holder.pid} on ${got.holder.host}` : 'another process';
  throw new UsageError(`${who} runs the stage in ${paths.folder}; wait for it, or stop it`);
}

/** The sweep that started this worker holds the other end of standard input: once it is gone, the work is not needed. */
function endWithParent(): void {
  process.stdin.on('error', () => undefined);
  process.stdin.on('close', () => process.exit(EXIT.failed));
  process.stdin.resume();
  // It must not keep the process alive. A pipe is a socket to Node; its type says only that it can be read.
  (process.stdin as unknown as { unref(): void }).unref();
}

/** Where no sweep says it: the command is this one, and no spec is known. */
async function ownOrigin({ folder }: StagePaths): Promise<Origin> {
  const sweep = sweepPaths(dirname(dirname(resolve(folder))));
  const { origin, diffs } = await collectOrigin({
    version: VERSION,
    args: process.argv.slice(2),
    results: sweep.folder,
  });
  storeOrigin(sweep, origin, diffs);
  return origin;
}

/** null: an unexpected error. */
function causeOf(error: unknown): FailureCause | null {
  if (error instanceof TrainingError) return error.failure;
  if (error instanceof NoAnswer) return 'timed-out';
  if (error instanceof UsageError) return 'invalid';
  if (isDiskFull(error)) return 'disk-full';
  if (error instanceof RangeError && /allocation failed/i.test(error.message)) return 'out-of-memory';
  return null;
}

function reasonOf(error: unknown): string {
  return isDiskFull(error) ? `the disk of the results folder is full (${messageOf(error)})` : messageOf(error);
}

function describe(event: Exclude<StageEvent, { type: 'alive' }>, kind: StageKind): string {
  switch (event.type) {
    case 'started':
      return `on ${event.device}: ${event.steps} steps${event.fromStep > 0 ? `, from step ${event.fromStep}` : ''}`;
    case 'progress': {
      const { step, steps, loss, imagesPerSecond } = event;
      return `step ${step}/${steps}  loss ${loss.toFixed(4)}  ${imagesPerSecond.toFixed(0)} images/s`;
    }
    case 'evaluated':
      return `epoch ${event.epoch}: ${describeMeasured(kind, event.metrics)} on the test set`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'done':
      return JSON.stringify(event.result);
    case 'failed':
      return `failed: ${event.reason}`;
  }
}
