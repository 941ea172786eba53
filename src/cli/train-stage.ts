/** The work of `vitmim train`: opens the device, runs a stage, and reports how it ended. */
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { DeviceChoice } from '../backends/index.js';
import { openDevice } from '../backends/open.js';
import type { Precision } from '../ops/index.js';
import type { Device } from '../backends/device.js';
import { isDiskFull, messageOf, TrainingError, UsageError, type FailureCause } from '../common/errors.js';
import { patience } from '../common/patience.js';
import { workDone } from '../common/work.js';
import { NoAnswer } from '../data/answered.js';
import { collectOrigin, thisMachine } from '../runner/provenance.js';
import { ALIVE_EVERY_MS } from '../runner/supervise.js';
import { Claimant, holdsClaim, RENEW_EVERY_MS, type Claim } from '../store/claims.js';
import { readJson } from '../store/files.js';
import { stagePaths, sweepPaths, type StagePaths } from '../store/layout.js';
import { readOrigin, recordAttempt, storeOrigin, type Origin } from '../store/provenance.js';
import { stageSchema, type StageEvent } from '../store/records.js';
import { describeMeasured } from '../stages/metrics.js';
import type { StageConfig, StageKind } from '../spec/stages.js';
import { Interrupted } from '../training/interrupted.js';
import { runStage } from '../training/run-stage.js';
import { featureBytes, SharedFeatures } from '../training/shared-features.js';
import { Orders } from './orders.js';
import { onStopSignals, stopCode, STOPPING_STAGES, type StopRequest } from './stop-signals.js';
import { EXIT, printJson, say } from './terminal.js';
import { VERSION } from '../common/version.js';

export interface TrainOptions {
  device: DeviceChoice;
  threads?: number;
  checkpointMinutes: number;
  claim?: string;
  origin?: string;
  diff: boolean;
  json?: true;
}

/** Time limit without progress for a stage that received a stop signal, until its step ends. */
const STUCK_SECONDS = 10;

/**
 * Runs the stage at `file` and returns the exit code. With the claim of a sweep, it then runs the stages that the sweep
 * orders, until one of them does not finish well.
 */
export async function trainStage(file: string, options: TrainOptions): Promise<number> {
  const request = onStopSignals(STOPPING_STAGES);
  const orders = options.claim === undefined ? null : new Orders(request.stop);
  const cores = options.threads ?? availableParallelism();
  const features = new SharedFeatures(featureBytes(cores));
  let opened: { device: Device; precision: Precision | undefined; tensors: number } | undefined;
  const device = async ({ precision }: Model): Promise<Device> => {
    // The description of a device depends on the precision.
    if (opened?.precision !== precision) {
      opened?.device.close();
      opened = undefined;
    }
    opened ??= {
      device: await openDevice(options.device, { threads: options.threads, precision }),
      precision,
      tensors: tf.memory().numTensors,
    };
    return opened.device;
  };
  try {
    let stage = file;
    let claim = options.claim;
    for (;;) {
      const code = await trainOne(stage, claim, { options, request, cores, features, device });
      // The next stage must find the process as this one did.
      const clean = opened?.tensors === tf.memory().numTensors;
      if (code !== EXIT.ok || orders === null || !clean) return code;
      emitJson({ type: 'idle' });
      const next = await orders.next();
      if (next === null) return code;
      ({ stage, claim } = next);
    }
  } finally {
    request.end();
    opened?.device.close();
  }
}

type Model = Pick<StageConfig['model'], 'precision'>;

interface Process {
  options: TrainOptions;
  request: StopRequest;
  cores: number;
  /** Of the stages that run one after the other. */
  features: SharedFeatures;
  /** The device of the process, which is opened once for stages of one precision. */
  device: (model: Model) => Promise<Device>;
}

const emitJson = (event: StageEvent): void => {
  printJson(event);
};

async function trainOne(file: string, claimId: string | undefined, process: Process): Promise<number> {
  const { options, request } = process;
  const stage = readJson(file, stageSchema, 'run the sweep again: it writes the file anew');
  if (!stage) throw new UsageError(`there is no stage at ${file}; name the stage.json of a stage in a results folder`);
  const paths = stagePaths(dirname(file));
  const emit = (event: StageEvent): void => {
    if (options.json) emitJson(event);
    else if (event.type !== 'alive' && event.type !== 'idle') say(describe(event, stage.config.kind));
  };
  // Each stage listens to a signal of its own, so that no listener outlives it.
  const stop = AbortSignal.any([request.stop]);
  const own = claimId === undefined ? claimForMyself(paths) : undefined;
  const claim = claimId ?? own!.id;
  const renewal = setInterval(() => own?.renew(), RENEW_EVERY_MS);
  let reported = workDone();
  const alive = setInterval(() => {
    emit({ type: 'alive', working: workDone() !== reported });
    reported = workDone();
  }, ALIVE_EVERY_MS);

  try {
    const { name, description, details, advice = [] } = await process.device(stage.config.model);
    for (const message of advice) emit({ type: 'advice', message });
    recordAttempt(paths, {
      origin: options.origin === undefined ? await ownOrigin(paths, options.diff) : readOrigin(options.origin),
      machine: thisMachine(),
      device: { name, description, details },
    });
    const running = runStage(stage, paths, {
      device: description,
      emit,
      signal: stop,
      checkpointEvery: options.checkpointMinutes * 60_000,
      cores: process.cores,
      features: process.features,
      mayWrite: () => {
        if (!holdsClaim(paths, claim)) throw new TrainingError('another sweep has taken the stage over', 'lost');
      },
    });
    const result = await Promise.race([running, stuckAfter(stop)]);
    emit({ type: 'done', result });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Interrupted && request.by !== null) {
      say(`${request.by}: ${error.message}`);
      return stopCode(request.by);
    }
    const cause = causeOf(error);
    if (cause === null) throw error; // a bug: its trace goes to the stage's log
    emit({ type: 'failed', cause, reason: reasonOf(error) });
    return EXIT.failed;
  } finally {
    clearInterval(renewal);
    clearInterval(alive);
    own?.release();
  }
}

/**
 * Rejects once the stage was asked to stop and has then made no progress for a while: it waits for a disk or a file
 * server that does not answer. Its last checkpoint stays.
 */
function stuckAfter(stop: AbortSignal, seconds = STUCK_SECONDS): Promise<never> {
  return new Promise((_resolve, reject) => {
    stop.addEventListener('abort', () => {
      let before = workDone();
      const wait = patience(seconds, () => {
        if (workDone() === before) {
          wait.end();
          reject(new Interrupted('stopped without another checkpoint, since the stage waits and makes no progress'));
        }
        before = workDone();
      });
    });
  });
}

/** A stage that is trained by hand is claimed like any other. */
function claimForMyself(paths: StagePaths): Claim {
  const got = new Claimant().claim(paths);
  if ('claim' in got) return got.claim;
  const who = got.holder ? `process ${got.holder.pid} on ${got.holder.host}` : 'another process';
  throw new UsageError(`${who} runs the stage in ${paths.folder}; wait for it, or stop it`);
}

/** The origin of a stage that no sweep runs: this command, without a spec. */
async function ownOrigin({ folder }: StagePaths, keepDiff: boolean): Promise<Origin> {
  const sweep = sweepPaths(dirname(dirname(resolve(folder))));
  const { origin, diffs } = await collectOrigin({
    version: VERSION,
    args: process.argv.slice(2),
    results: sweep.folder,
    keepDiff,
  });
  storeOrigin(sweep, origin, diffs);
  return origin;
}

/** null: an unexpected error. */
function causeOf(error: unknown): FailureCause | null {
  if (error instanceof TrainingError) return error.failure;
  if (error instanceof NoAnswer) return 'lost';
  if (error instanceof UsageError) return 'invalid';
  if (isDiskFull(error)) return 'disk-full';
  if (error instanceof RangeError && /allocation failed/i.test(error.message)) return 'out-of-memory';
  return null;
}

function reasonOf(error: unknown): string {
  return isDiskFull(error) ? `the disk of the results folder is full (${messageOf(error)})` : messageOf(error);
}

function describe(event: Exclude<StageEvent, { type: 'alive' | 'idle' }>, kind: StageKind): string {
  switch (event.type) {
    case 'started':
      return `on ${event.device}: ${event.steps} steps${event.fromStep > 0 ? `, from step ${event.fromStep}` : ''}`;
    case 'progress': {
      const { step, steps, loss, imagesPerSecond } = event;
      return `step ${step}/${steps}  loss ${loss.toFixed(4)}  ${imagesPerSecond.toFixed(0)} images/s`;
    }
    case 'evaluated':
      return `epoch ${event.epoch}: ${describeMeasured(kind, event.metrics)} on the ${event.split === undefined ? 'test set' : `${event.split} images`}`;
    case 'advice':
      return `hint: ${event.message}`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'done':
      return JSON.stringify(event.result);
    case 'failed':
      return `failed: ${event.reason}`;
  }
}
