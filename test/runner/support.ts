/** Small plans, results and workers that end when a test says so. */
import { CORRUPTION_NAMES } from '../../src/data/corruptions/index.js';
import type { CorruptionKey } from '../../src/stages/robustness.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureCause } from '../../src/common/errors.js';
import type { Plan, Stage, StageKind } from '../../src/spec/stages.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { describeStage } from '../../src/spec/describe.js';
import type { RunEvent } from '../../src/runner/events.js';
import { leavesCheckpoint } from '../../src/stages/index.js';
import type { Launch, WorkerEnd } from '../../src/runner/worker.js';
import { readJson, writeJson } from '../../src/store/files.js';
import { siblingPaths, type StagePaths } from '../../src/store/layout.js';
import { resultSchema, type StageEvent, type StageResult } from '../../src/store/records.js';
import { writeSafetensors } from '../../src/store/safetensors.js';

export function planOf(yaml: string): Plan {
  return buildPlan(readSweep(yaml, { file: 'sweep.yaml', defaultName: 'sweep' }), () => 'fingerprint');
}

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitmim-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface Numbers {
  accuracy?: number;
  loss?: number;
  imagesPerSecond?: number;
  seconds?: number;
  epochs?: number;
}

export function resultOf(kind: StageKind, numbers: Numbers = {}): StageResult {
  const { accuracy = 50, loss = 0.5, imagesPerSecond = 100, seconds = 2, epochs = 20 } = numbers;
  const work = {
    epochs,
    steps: 40,
    imagesPerSecond,
    seconds,
    corruptImages: [],
    stage: null,
    parent: null,
    checkpoint: null,
  };
  const training = { loss, firstLoss: 1, largestGradientNorm: 1, batchSize: 10 };
  const accuracies = { accuracy, top5: 90, meanPerClass: null, testImages: 10, trainImages: 20 };
  const noErrors = { meanError: null, blurError: null, greyError: null };
  switch (kind) {
    case 'pretrain':
      return { kind, ...work, ...training, losses: [loss], zeroLoss: 1, trainImages: 20 };
    case 'finetune':
      return { kind, ...work, ...training, chanceLoss: Math.log(10), ...accuracies, ...noErrors };
    case 'robustness': {
      const errors = CORRUPTION_NAMES.map((name) => [`error_${name}`, 60]);
      const own = { ...noErrors, meanError: 60, ...(Object.fromEntries(errors) as Record<CorruptionKey, number>) };
      const probe = { loss, batchSize: 10, baseLearningRate: 0.1, chanceLoss: Math.log(10) };
      return { kind, ...work, ...probe, ...own, ...accuracies };
    }
    case 'linear':
    case 'attentive':
      return { kind, ...work, loss, batchSize: 10, baseLearningRate: 0.1, chanceLoss: Math.log(10), ...accuracies };
    case 'knn':
      return { kind, ...work, k: 20, ...accuracies };
    case 'segment': {
      const measured = { meanIou: accuracy, pixelAccuracy: 90, classIou: { background: accuracy } };
      return { kind, ...work, ...training, chanceLoss: Math.log(10), ...measured, testImages: 10, trainImages: 20 };
    }
  }
}

/**
 * Writes the files of a finished stage: a checkpoint without tensors, if its kind has one, and a result that names this
 * checkpoint and the checkpoint of the parent.
 */
export async function leaveResult({ id, config, parent }: Stage, paths: StagePaths, numbers?: Numbers, salt = '') {
  const leaves = leavesCheckpoint(config.kind);
  const checkpoint = leaves ? await writeSafetensors(paths.checkpoint, new Map(), { stage: id, salt }) : null;
  const sha256 = parent && (readJson(siblingPaths(paths, parent).result, resultSchema)?.checkpoint ?? 'none');
  const result: StageResult = {
    ...resultOf(config.kind, numbers),
    stage: id,
    parent: parent && sha256 ? { id: parent, sha256 } : null,
    checkpoint,
  };
  writeJson(paths.result, result);
  return result;
}

interface Fake {
  stage: Stage;
  paths: StagePaths;
  emit: (event: StageEvent) => void;
  end: (end: WorkerEnd) => void;
  signals: string[];
}

/** Workers that do nothing until told to. They are called by the names of their stages. */
export class FakeWorkers {
  /** Names in the order of starting. */
  readonly started: string[] = [];
  most = 0;
  readonly #running = new Map<string, Fake>();
  readonly #plan: Plan;
  /** Called when a worker is asked to stop. */
  onInterrupt: (name: string) => void = () => undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get names(): string[] {
    return [...this.#running.keys()];
  }

  readonly launch: Launch = ({ stage, paths, onEvent: emit }) => {
    const name = describeStage(this.#plan, stage);
    const signals: string[] = [];
    const ended = new Promise<WorkerEnd>((resolve) => {
      const end = (how: WorkerEnd): void => {
        this.#running.delete(name);
        resolve(how);
      };
      this.#running.set(name, { stage, paths, emit, end, signals });
    });
    this.started.push(name);
    this.most = Math.max(this.most, this.#running.size);
    return {
      pid: 4242,
      ended,
      interrupt: () => {
        signals.push('interrupt');
        this.onInterrupt(name);
      },
      kill: () => {
        signals.push('kill');
        this.get(name).end({ kind: 'signal', signal: 'SIGKILL' });
      },
    };
  };

  get(name: string): Fake {
    const fake = this.#running.get(name);
    if (fake === undefined) throw new Error(`${name} is not running; these are: ${this.names.join(', ')}`);
    return fake;
  }

  /** Waits until the worker runs. */
  async when(name: string): Promise<Fake> {
    for (let turn = 0; turn < 1000; turn++) {
      if (this.#running.has(name)) return this.get(name);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.get(name);
  }

  /** Lets a worker succeed, once it runs. Of two salts the checkpoints differ. */
  async finish(name: string, numbers: Numbers = {}, salt = ''): Promise<void> {
    const { stage, paths, emit, end } = await this.when(name);
    const result = await leaveResult(stage, paths, numbers, salt);
    emit({ type: 'done', result });
    end({ kind: 'exit', code: 0 });
  }

  /** Lets a worker report a failure, once it runs. */
  async fail(name: string, reason: string, cause: FailureCause = 'diverged'): Promise<void> {
    const { emit, end } = await this.when(name);
    emit({ type: 'failed', cause, reason });
    end({ kind: 'exit', code: 1 });
  }
}

/** Rejects when a promise is still open after half a minute: the test runner itself would wait for ever. */
export async function settled<T>(promise: Promise<T>, stuck: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const watchdog = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(stuck()));
    }, 30_000);
  });
  return Promise.race([promise, watchdog]).finally(() => {
    clearTimeout(timer);
  });
}

/** Events in brief: `stage-started pretrain masked`. */
export function brief(events: readonly RunEvent[]): string[] {
  return events.map((event) => ('stage' in event ? `${event.type} ${event.stage.name}` : event.type));
}
