/**
 * The training loop, in four functions: `trainStep` updates the weights, `readAndReport` reads losses and reports
 * progress, `saveWithinEpoch` writes checkpoints, `finishEpoch` finishes an epoch. Pre-training and fine-tuning define
 * what a batch is and how its loss is computed.
 */
import * as tf from '@tensorflow/tfjs';
import { countWork } from '../common/work.js';
import { accumulate, Repeated } from '../ops/index.js';
import type { TrainingEvent } from '../stages/events.js';
import { checkFinish, checkReading, type Levels } from './divergence.js';
import { clipByGlobalNorm, globalNorm, meanGradients, raiseTo } from './gradients.js';
import { Interrupted } from './interrupted.js';
import { learningRateAt, type LearningRateSchedule } from './schedule.js';
import type { TrainingState } from './state.js';

/** The keys of a recipe that the loop itself reads. */
export interface LoopRecipe extends LearningRateSchedule {
  clipGradient?: number | undefined;
}

export interface LoopTask<Part> {
  recipe: LoopRecipe;
  /** The loss of a prediction that uses no image: divergence is judged against it. */
  baseline: number;
  stepsPerEpoch: number;
  /**
   * Images in a step: fewer than the recipe's `batchSize` if the split has fewer. The learning rate is scaled by this
   * number.
   */
  imagesPerStep: number;
  /** The batches of an epoch, from the given step in it on; each is a list of parts of equal size, on the device. */
  batches(epoch: number, fromStep: number): AsyncIterable<Part[]>;
  /**
   * Mean loss of one part. It must depend on the part only through its tensors: a recorded step does not call it again.
   */
  loss(part: Part): tf.Scalar;
  /** All tensors of a part, in the same order for every part. The loop disposes of them after the step. */
  tensors(part: Part): tf.Tensor[];
  /** Returns the work to do after this many epochs, such as an evaluation; undefined: none. */
  onEpoch?(epochs: number): (() => Promise<void>) | undefined;
}

/** The events, files and signals of the stage that trains. */
export interface LoopContext {
  emit: (event: TrainingEvent) => void;
  /** Appends to the stage's metrics. */
  record: (metrics: Record<string, unknown>) => void;
  /** Writes a checkpoint of the current state. */
  save: () => Promise<void>;
  /**
   * Longest time between two checkpoints, in milliseconds. Ends of epochs add more, see {@link EPOCH_SAVE_AFTER_MS}.
   */
  saveEvery: number;
  /** Aborted: the stage stops at the next step, and may be resumed later. */
  signal: AbortSignal;
}

/**
 * Steps between two readings of the loss for the record. On a GPU, each reading makes the processor wait for the
 * device.
 */
const STEPS_PER_READING = 20;

/**
 * An epoch ends with a checkpoint, unless the last one is younger than this. If epochs take milliseconds, as in a smoke
 * sweep, writing and syncing the file would take longer than training. A kill then loses at most this much more work.
 */
const EPOCH_SAVE_AFTER_MS = 5000;

/** If steps are slow, progress is reported more often than the loss is recorded. */
const SHOW_EVERY_MS = 1000;

/** The part of a result that describes its training. */
export interface LoopResult {
  imagesPerSecond: number | null;
  seconds: number;
  steps: number;
  /** Mean loss of the last epoch. */
  loss: number;
  firstLoss: number | null;
  /** null: beyond the range of float32. */
  largestGradientNorm: number | null;
  /** Images in a step. */
  batchSize: number;
}

/**
 * Runs the rest of the training, from `state.step` on.
 *
 * @throws TrainingError if the loss is not finite or training diverged, see `divergence.ts`.
 * @throws Interrupted after a checkpoint, if the signal was aborted.
 */
export async function train<Part>(
  task: LoopTask<Part>,
  state: TrainingState,
  context: LoopContext,
): Promise<LoopResult> {
  const run: Run<Part> = {
    task,
    state,
    context,
    schedule: { ...task.recipe, batchSize: task.imagesPerStep },
    steps: task.recipe.epochs * task.stepsPerEpoch,
    meter: new Meter(task.imagesPerStep),
    repeated: new Repeated(),
    shown: performance.now(),
    saved: performance.now(),
  };
  try {
    while (state.step < run.steps) await trainEpoch(run);
    checkFinish(state.losses.at(-1)!, levelsOf(run));
  } finally {
    run.repeated.dispose();
  }
  return resultOf(run);
}

/** A training in progress. */
interface Run<Part> {
  readonly task: LoopTask<Part>;
  readonly state: TrainingState;
  readonly context: LoopContext;
  readonly schedule: LearningRateSchedule;
  /** Number of steps of the whole training. */
  readonly steps: number;
  readonly meter: Meter;
  readonly repeated: Repeated;
  /** Times of the last progress report and of the last checkpoint, in milliseconds. */
  shown: number;
  saved: number;
}

/** The sum of the epoch's losses after a step, as read from the device. */
interface Reading {
  step: number;
  sum: number;
}

function levelsOf<Part>({ state, task }: Run<Part>): Levels {
  return { first: state.firstLoss!, baseline: task.baseline };
}

/** The rest of the current epoch: its steps, and the work after its last one. */
async function trainEpoch<Part>(run: Run<Part>): Promise<void> {
  const { task, state, context, schedule, meter, repeated } = run;
  const epoch = Math.floor(state.step / task.stepsPerEpoch);
  let reading = await readLossSum(state);
  meter.start();
  const batches = task.batches(epoch, state.step % task.stepsPerEpoch)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessStopped(batches.next(), context.signal);
      if (next === 'stopped') await stopBetweenSteps(run, epoch, reading);
      else if (next.done === true) break;
      else {
        trainStep(task, schedule, state, next.value, repeated);
        await breathe();
        meter.step();
        countWork();
        state.firstLoss ??= (await readLossSum(state)).sum;
        const stop = context.signal.aborted;
        reading = await readAndReport(run, epoch, reading, stop);
        await saveWithinEpoch(run, epoch, stop);
      }
    }
  } finally {
    await batches.return?.();
  }
  meter.pause();
  await finishEpoch(run, epoch, reading);
}

/** The awaited value, or `stopped` if the signal comes first: a batch may never come. */
function unlessStopped<T>(waited: Promise<T>, signal: AbortSignal): Promise<T | 'stopped'> {
  return new Promise((resolve, reject) => {
    const onStop = (): void => {
      resolve('stopped');
    };
    signal.addEventListener('abort', onStop, { once: true });
    void waited.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onStop);
    });
  });
}

/** Ends a training that received a stop signal while it waited for a batch; the steps so far are kept. */
async function stopBetweenSteps<Part>(run: Run<Part>, epoch: number, reading: Reading): Promise<never> {
  const { state, context, meter } = run;
  meter.pause();
  if (state.step > reading.step) await readAndReport(run, epoch, reading, true);
  if (state.step > 0) await context.save();
  throw new Interrupted(stoppedAt(state));
}

const stoppedAt = ({ step }: TrainingState): string =>
  step === 0 ? 'stopped after step 0; there is nothing to keep' : `stopped after step ${step}, with a checkpoint of it`;

async function readLossSum({ step, lossSum }: TrainingState): Promise<Reading> {
  return { step, sum: (await lossSum.data())[0]! };
}

/**
 * Reads the loss if a reading is due, records it and checks it for divergence. Reports progress then, and at least
 * every second.
 *
 * @returns the last reading that was recorded.
 */
async function readAndReport<Part>(run: Run<Part>, epoch: number, last: Reading, stop: boolean): Promise<Reading> {
  const { task, state, context, schedule, steps, meter } = run;
  const { stepsPerEpoch } = task;
  const inEpoch = state.step - epoch * stepsPerEpoch;
  const due = inEpoch % STEPS_PER_READING === 0 || inEpoch === stepsPerEpoch || stop;
  if (!due && performance.now() - run.shown <= SHOW_EVERY_MS) return last;
  const reading = await readLossSum(state);
  const loss = (reading.sum - last.sum) / (state.step - last.step);
  const imagesPerSecond = meter.rate();
  if (due) {
    checkReading(loss, [last.step, state.step], levelsOf(run));
    const learningRate = learningRateAt(schedule, state.step - 1, stepsPerEpoch);
    context.record({ step: state.step, epoch: state.step / stepsPerEpoch, loss, learningRate, imagesPerSecond });
  }
  // Between two checks the loss may be NaN, for which JSON has no number; the next check reports it.
  if (Number.isFinite(loss)) context.emit({ type: 'progress', epoch, step: state.step, steps, loss, imagesPerSecond });
  run.shown = performance.now();
  return due ? reading : last;
}

/**
 * Writes a checkpoint within an epoch if one is due, or if the training has to stop.
 *
 * @throws Interrupted if the training has to stop.
 */
async function saveWithinEpoch<Part>(run: Run<Part>, epoch: number, stop: boolean): Promise<void> {
  const { task, state, context, meter } = run;
  if (state.step === (epoch + 1) * task.stepsPerEpoch) return;
  if (stop || performance.now() - run.saved > context.saveEvery) {
    meter.pause();
    await context.save();
    meter.start();
    run.saved = performance.now();
  }
  if (stop) throw new Interrupted(stoppedAt(state));
}

/** Finishes an epoch: its mean loss, the task's work after it, and a checkpoint if one is due. */
async function finishEpoch<Part>(run: Run<Part>, epoch: number, { sum }: Reading): Promise<void> {
  const { task, state, context, steps, repeated } = run;
  state.losses.push(sum / task.stepsPerEpoch);
  tf.tidy(() => {
    accumulate(state.lossSum, tf.neg(state.lossSum));
  });
  const then = task.onEpoch?.(epoch + 1);
  if (then) {
    repeated.dispose(); // to free its memory
    await then();
  }
  const due = performance.now() - run.saved > Math.min(EPOCH_SAVE_AFTER_MS, context.saveEvery);
  if (due || then || state.step === steps || context.signal.aborted) {
    await context.save();
    run.saved = performance.now();
  }
  if (context.signal.aborted && state.step < steps) throw new Interrupted(stoppedAt(state));
}

async function resultOf<Part>({ task, state, meter }: Run<Part>): Promise<LoopResult> {
  const largest = (await state.largestGradientNorm.data())[0]!;
  return {
    imagesPerSecond: meter.steps > 0 ? meter.rate() : null,
    seconds: meter.seconds,
    steps: state.step,
    loss: state.losses.at(-1)!,
    firstLoss: state.firstLoss,
    largestGradientNorm: Number.isFinite(largest) ? largest : null,
    batchSize: task.imagesPerStep,
  };
}

/**
 * Waits for one turn of the event loop. On a processor, a whole training can otherwise run without one, and no signal
 * would be delivered.
 */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The part of a training's task that a step uses. */
export type StepTask<Part> = Pick<LoopTask<Part>, 'stepsPerEpoch' | 'loss' | 'tensors'> & {
  recipe: Pick<LoopRecipe, 'clipGradient'>;
};

/**
 * One step of the training: gradients, clipping and updates, and the sum of losses. Disposes of the parts' tensors.
 *
 * @param schedule The learning rates.
 */
export function trainStep<Part>(
  task: StepTask<Part>,
  schedule: LearningRateSchedule,
  state: TrainingState,
  parts: Part[],
  repeated: Repeated,
): void {
  const { clipGradient } = task.recipe;
  const { optimizers, trained } = state;
  const learningRate = learningRateAt(schedule, state.step, task.stepsPerEpoch);
  const rates = { learningRate, step: state.step + 1 };
  const own = optimizers.map((optimizer) => ({ optimizer, inputs: optimizer.inputs(rates) }));
  const inputs = [...parts.flatMap((part) => task.tensors(part)), ...own.flatMap((each) => each.inputs)];
  repeated.run(inputs, () => {
    tf.tidy(() => {
      const { loss, gradients } = meanGradients(
        parts,
        (part) => task.loss(part),
        trained.map(({ value }) => value),
      );
      accumulate(state.lossSum, loss);
      const norm = globalNorm(gradients);
      raiseTo(state.largestGradientNorm, norm);
      const clipped = clipGradient === undefined ? gradients : clipByGlobalNorm(gradients, clipGradient, norm);
      for (const each of own) each.optimizer.update(trained, clipped, rates, each.inputs);
    });
  });
  tf.dispose(inputs);
  state.step += 1;
}

/** Images per second of training only, without evaluation and checkpoints. */
class Meter {
  steps = 0;
  #elapsed = 0;
  #since = 0;
  readonly #imagesPerStep: number;

  constructor(imagesPerStep: number) {
    this.#imagesPerStep = imagesPerStep;
  }

  start(): void {
    this.#since = performance.now();
  }

  step(): void {
    this.steps += 1;
  }

  pause(): void {
    this.#elapsed += performance.now() - this.#since;
    this.#since = performance.now();
  }

  get seconds(): number {
    return this.#elapsed / 1000;
  }

  rate(): number {
    this.pause();
    return (this.steps * this.#imagesPerStep) / this.seconds;
  }
}
