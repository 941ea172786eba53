/**
 * The training loop: epochs of steps, the learning rate of each, when losses are read and checkpoints written. What a
 * batch is and how it is scored belongs to pre-training and fine-tuning.
 */
import * as tf from '@tensorflow/tfjs';
import { accumulate, adamW, adamWRates, Repeated, type AdamWStep } from '../ops/index.js';
import type { TrainingEvent } from '../stages/events.js';
import { checkFinish, checkReading } from './divergence.js';
import { clipByGlobalNorm, globalNorm, meanGradients, raiseTo } from './gradients.js';
import { learningRateAt, type Schedule } from './schedule.js';
import type { TrainingState } from './state.js';

/** The keys of a recipe that the loop itself reads. */
export interface LoopRecipe extends Schedule {
  beta1: number;
  beta2: number;
  clipGradient?: number | undefined;
}

export interface LoopTask<Part> {
  recipe: LoopRecipe;
  /** The loss of a prediction that uses no image: what divergence is judged against. */
  baseline: number;
  stepsPerEpoch: number;
  /** Images in a step: fewer than the recipe's `batchSize` where the split has fewer. The rate is scaled by them. */
  imagesPerStep: number;
  /** The batches of an epoch, from the given step in it on; each is a list of equally large parts, on the device. */
  batches(epoch: number, fromStep: number): AsyncIterable<Part[]>;
  /** Mean loss of one part. It depends on the part through its tensors alone, and is not computed anew in every step. */
  loss(part: Part): tf.Scalar;
  /** All tensors of a part, in the same order for every part. The loop frees them once they are learned from. */
  tensors(part: Part): tf.Tensor[];
  /** What is to be done after so many epochs, if anything is; evaluation goes here. */
  onEpoch?(epochs: number): (() => Promise<void>) | undefined;
}

/** How the loop talks to the world around it. */
export interface LoopContext {
  emit: (event: TrainingEvent) => void;
  /** Appends to the stage's metrics. */
  record: (metrics: Record<string, unknown>) => void;
  /** Writes a checkpoint of the state as it is. */
  save: () => Promise<void>;
  /** Most milliseconds between two checkpoints; there is one after every epoch besides. */
  saveEvery: number;
  /** Aborted when the stage shall stop at the next step, to be resumed later. */
  signal: AbortSignal;
}

/** Thrown at a step boundary, after a checkpoint, when the signal asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Steps between two readings of the loss for the record. On a GPU each makes the processor wait for the device. */
const STEPS_PER_READING = 20;

/** Where steps are slow, somebody watching is told more often than that. */
const SHOW_EVERY_MS = 1000;

/** What a result says of the training behind it. */
export interface LoopResult {
  imagesPerSecond: number | null;
  seconds: number;
  steps: number;
  /** Mean loss of the last epoch. */
  loss: number;
  firstLoss: number | null;
  /** null where float32 does not hold it. */
  largestGradientNorm: number | null;
  /** Images in a step. */
  batchSize: number;
}

/**
 * Runs what is left of the training, from `state.step` on.
 *
 * @throws TrainingError when the loss is not finite or training diverged, see `divergence.ts`.
 * @throws Interrupted after a checkpoint, when the signal asked to stop.
 */
export async function train<Part>(
  task: LoopTask<Part>,
  state: TrainingState,
  context: LoopContext,
): Promise<LoopResult> {
  const { recipe, stepsPerEpoch } = task;
  const schedule = { ...recipe, batchSize: task.imagesPerStep };
  const steps = recipe.epochs * stepsPerEpoch;
  const meter = new Meter(task.imagesPerStep);
  const repeated = new Repeated();
  let shown = performance.now();
  let saved = performance.now();

  try {
    while (state.step < steps) {
      const epoch = Math.floor(state.step / stepsPerEpoch);
      let read = { step: state.step, sum: (await state.lossSum.data())[0]! };
      meter.start();
      for await (const parts of task.batches(epoch, state.step % stepsPerEpoch)) {
        update(task, schedule, state, parts, repeated);
        await breathe();
        meter.step();
        const inEpoch = state.step - epoch * stepsPerEpoch;
        state.firstLoss ??= (await state.lossSum.data())[0]!;
        const stop = context.signal.aborted;
        const due = inEpoch % STEPS_PER_READING === 0 || inEpoch === stepsPerEpoch || stop;
        if (due || performance.now() - shown > SHOW_EVERY_MS) {
          const sum = (await state.lossSum.data())[0]!;
          const loss = (sum - read.sum) / (state.step - read.step);
          const imagesPerSecond = meter.rate();
          if (due) {
            checkReading(loss, [read.step, state.step], { first: state.firstLoss, baseline: task.baseline });
            read = { step: state.step, sum };
            const learningRate = learningRateAt(schedule, state.step - 1, stepsPerEpoch);
            context.record({
              step: state.step,
              epoch: state.step / stepsPerEpoch,
              loss,
              learningRate,
              imagesPerSecond,
            });
          }
          // Between two checks the loss may be NaN, which JSON cannot say; the next check will.
          if (Number.isFinite(loss))
            context.emit({ type: 'progress', epoch, step: state.step, steps, loss, imagesPerSecond });
          shown = performance.now();
        }
        const within = state.step < steps && inEpoch < stepsPerEpoch;
        if (within && (stop || performance.now() - saved > context.saveEvery)) {
          meter.pause();
          await context.save();
          meter.start();
          saved = performance.now();
        }
        if (within && stop) {
          throw new Interrupted('stopped at a step boundary');
        }
      }
      meter.pause();
      state.losses.push(read.sum / stepsPerEpoch);
      tf.tidy(() => {
        accumulate(state.lossSum, tf.neg(state.lossSum));
      });
      const then = task.onEpoch?.(epoch + 1);
      if (then) {
        repeated.dispose(); // for its memory
        await then();
      }
      await context.save();
      saved = performance.now();
      if (context.signal.aborted && state.step < steps) throw new Interrupted('stopped at the end of an epoch');
    }
    const levels = { first: state.firstLoss!, baseline: task.baseline };
    checkFinish(state.losses.at(-1)!, levels);
  } finally {
    repeated.dispose();
  }
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
 * Lets the event loop turn once. On a processor a whole training can otherwise run between two of its turns, and no
 * signal would ever be delivered.
 */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One optimiser step. Consumes the parts. */
function update<Part>(
  task: LoopTask<Part>,
  schedule: Schedule,
  state: TrainingState,
  parts: Part[],
  repeated: Repeated,
): void {
  const { recipe, stepsPerEpoch } = task;
  const options: AdamWStep = {
    learningRate: learningRateAt(schedule, state.step, stepsPerEpoch),
    beta1: recipe.beta1,
    beta2: recipe.beta2,
    epsilon: 1e-8,
    step: state.step + 1,
    gradientScale: 1,
  };
  const rates = adamWRates(options);
  const inputs = [...parts.flatMap((part) => task.tensors(part)), rates];
  repeated.run(inputs, () => {
    tf.tidy(() => {
      const slots = [...state.slots.values()];
      const { loss, gradients } = meanGradients(
        parts,
        (part) => task.loss(part),
        slots.map((slot) => slot.value),
      );
      accumulate(state.lossSum, loss);
      const norm = globalNorm(gradients);
      raiseTo(state.largestGradientNorm, norm);
      const { clipGradient } = recipe;
      adamW(
        slots,
        clipGradient === undefined ? gradients : clipByGlobalNorm(gradients, clipGradient, norm),
        options,
        rates,
      );
    });
  });
  tf.dispose(inputs);
  state.step += 1;
}

/** Images per second of training alone, without evaluation and checkpoints. */
class Meter {
  steps = 0;
  private elapsed = 0;
  private since = 0;
  private readonly imagesPerStep: number;

  constructor(imagesPerStep: number) {
    this.imagesPerStep = imagesPerStep;
  }

  start(): void {
    this.since = performance.now();
  }

  step(): void {
    this.steps += 1;
  }

  pause(): void {
    this.elapsed += performance.now() - this.since;
    this.since = performance.now();
  }

  get seconds(): number {
    return this.elapsed / 1000;
  }

  rate(): number {
    this.pause();
    return (this.steps * this.imagesPerStep) / this.seconds;
  }
}
