import * as tf from '@tensorflow/tfjs';
import { clipByGlobalNorm, meanGradients } from '../../src/training/gradients.js';
import { Interrupted } from '../../src/training/interrupted.js';
import { train, type LoopContext, type LoopTask } from '../../src/training/loop.js';
import { adamW } from '../../src/training/optimizers/adamw.js';
import { freshState, disposeState, type TrainingState } from '../../src/training/state.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('meanGradients', () => {
  it('gives the same for a batch and for its parts', () => {
    const w = tf.variable(tf.tensor1d([0.5, -1]));
    const rows = [
      [1, 2],
      [3, -1],
      [0, 4],
      [2, 2],
    ];
    const loss = (part: number[][]): tf.Scalar => tf.mean(tf.square(tf.sum(tf.mul(tf.tensor2d(part), w), 1)));
    const whole = meanGradients([rows], loss, [w]);
    const parts = meanGradients([rows.slice(0, 2), rows.slice(2)], loss, [w]);
    expect(parts.loss.dataSync()[0]).toBeCloseTo(whole.loss.dataSync()[0]!, 6);
    expect([...parts.gradients[0]!.dataSync()]).toEqual([...whole.gradients[0]!.dataSync()]);
    // By hand: mean of 2·(x·w)·x over the rows, x·w = −1.5, 2.5, −4, −1.
    expect([...whole.gradients[0]!.dataSync()]).toEqual([(2 * (-1.5 + 7.5 - 2)) / 4, (2 * (-3 - 2.5 - 16 - 2)) / 4]);
    tf.dispose([whole.loss, whole.gradients, parts.loss, parts.gradients, w]);
  });

  it('keeps one sum of the parts so far, regardless of their number', () => {
    const w = tf.variable(tf.tensor1d([0.5, -1]));
    const held: number[] = [];
    const loss = (factor: number): tf.Scalar => {
      held.push(tf.memory().numTensors);
      return tf.sum(tf.mul(w, factor));
    };
    const sum = meanGradients([1, 2, 3, 4, 5], loss, [w]);
    expect([...sum.gradients[0]!.dataSync()]).toEqual([3, 3]);
    expect(held.slice(2)).toEqual(held.slice(1, -1));
    tf.dispose([sum.loss, sum.gradients, w]);
  });
});

describe('clipByGlobalNorm', () => {
  const gradients = (): tf.Tensor[] => [tf.tensor1d([3, 0]), tf.tensor2d([[0], [4]])]; // norm 5

  it('scales all gradients by limit / norm', () => {
    const clipped = clipByGlobalNorm(gradients(), 1);
    expect(clipped[0]!.dataSync()[0]).toBeCloseTo(0.6, 5);
    expect(clipped[1]!.dataSync()[1]).toBeCloseTo(0.8, 5);
  });

  it('does not change smaller gradients', () => {
    const clipped = clipByGlobalNorm(gradients(), 6);
    expect([...clipped[0]!.dataSync(), ...clipped[1]!.dataSync()]).toEqual([3, 0, 0, 4]);
  });

  it('adds 1e-6 to the norm, like PyTorch', () => {
    // Norm 1e-6: the factor is 1e-6 / (1e-6 + 1e-6).
    const clipped = clipByGlobalNorm([tf.tensor1d([6e-7, 8e-7])], 1e-6);
    expect(clipped[0]!.dataSync()[0]! / 3e-7).toBeCloseTo(1, 5);
    expect(clipped[0]!.dataSync()[1]! / 4e-7).toBeCloseTo(1, 5);
  });
});

describe('train', () => {
  const recipe = {
    epochs: 3,
    batchSize: 256,
    baseLearningRate: 0.1,
    minLearningRate: 0,
    warmupEpochs: 1,
  };
  const slotOptions = { depth: 1, layerDecay: 1, weightDecay: 0, optimizers: [adamW({ beta1: 0.9, beta2: 0.95 })] };
  let state: TrainingState;
  let saved: number[];
  let recorded: Record<string, unknown>[];
  let stop: AbortController;
  const context = (): LoopContext => ({
    emit: () => undefined,
    record: (metrics) => recorded.push(metrics),
    save: () => {
      saved.push(state.step);
      return Promise.resolve();
    },
    saveEvery: Infinity,
    signal: stop.signal,
  });
  /** Minimises (w − 2)², with a loss that may be replaced at given steps. */
  const task = (at: (step: number) => number = () => 2): LoopTask<{ target: tf.Scalar }> => ({
    recipe,
    baseline: 9,
    stepsPerEpoch: 30,
    imagesPerStep: recipe.batchSize,
    async *batches(epoch, from) {
      for (let step = from; step < 30; step++) {
        yield await Promise.resolve([{ target: tf.scalar(at(epoch * 30 + step)) }]);
      }
    },
    tensors: ({ target }) => [target],
    loss: ({ target }) => tf.sum(tf.square(tf.sub(state.parameters.get('w')!, target))),
  });

  beforeEach(() => {
    const values = new Map([['w', { shape: [1], data: Float32Array.of(5) }]]);
    state = freshState(values, slotOptions);
    [saved, recorded, stop] = [[], [], new AbortController()];
  });
  afterEach(() => {
    disposeState(state);
  });

  it('learns, records losses and saves at its end', async () => {
    await train(task(), state, context());
    expect(state.step).toBe(90);
    expect(saved).toEqual([90]);
    expect(state.losses).toHaveLength(3);
    expect(state.losses[2]).toBeLessThan(0.5 * state.losses[0]!);
    expect(recorded.map(({ step }) => step)).toEqual([20, 30, 50, 60, 80, 90]);
  });

  it.each([
    ['after an epoch that takes six seconds', 6000, [30, 60, 90]],
    ['after every second epoch of three seconds', 3000, [60, 90]],
  ])('saves %s', async (_, milliseconds, steps) => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const slow = task((step) => {
      if (step % 30 === 15) now += milliseconds;
      return 2;
    });
    await train(slow, state, context());
    clock.mockRestore();
    expect(saved).toEqual(steps);
  });

  it('keeps the number of tensors constant', async () => {
    const before = tf.memory().numTensors;
    await train(task(), state, context());
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stops at a loss that is not a number, and names the steps', async () => {
    await expect(
      train(
        task((step) => (step === 47 ? NaN : 2)),
        state,
        context(),
      ),
    ).rejects.toThrow('the loss became NaN between step 30 and step 50');
  });

  it('stops at a diverging loss', async () => {
    await expect(
      train(
        task((step) => (step < 40 ? 2 : 1e4)),
        state,
        context(),
      ),
    ).rejects.toThrow('the loss was ');
  });

  it('reports the loss of the first step, not a mean, and the largest gradient norm', async () => {
    // w begins at 5: the loss is (5 − 2)² and its gradient 2·(5 − 2); both fall from there.
    const { firstLoss, largestGradientNorm, steps, batchSize } = await train(task(), state, context());
    expect([firstLoss, largestGradientNorm, steps, batchSize]).toEqual([9, 6, 90, recipe.batchSize]);
  });

  it('reports the largest norm of gradients before they are clipped, wherever it occurs', async () => {
    // At step 50 the target is 12. w is then below 5, and at least about 1, since momentum takes it slightly below 2:
    // 2·(12 − 5) < norm < 2·(12 − 1).
    const far = task((step) => (step === 50 ? 12 : 2));
    const { largestGradientNorm } = await train({ ...far, recipe: { ...recipe, clipGradient: 0.5 } }, state, context());
    expect(largestGradientNorm).toBeGreaterThan(2 * 7);
    expect(largestGradientNorm).toBeLessThan(2 * 11);
  });

  it('scales the learning rate by the actual number of images in a step', async () => {
    await train(task(), state, context());
    const full = recorded.map(({ learningRate }) => learningRate as number);
    recorded.length = 0;
    disposeState(state);
    state = freshState(new Map([['w', { shape: [1], data: Float32Array.of(5) }]]), slotOptions);
    const few = { ...task(), recipe: { ...recipe, minLearningRate: 0 }, imagesPerStep: recipe.batchSize / 4 };
    await train(few, state, context());
    const peak = recorded.map(({ learningRate }) => learningRate as number);
    expect(peak[0]! / full[0]!).toBeCloseTo(1 / 4, 2);
  });

  it('fails a training that ends worse than it began and than a prediction that uses no image', async () => {
    const rising = task((step) => (step < 60 ? 2 : 12)); // the last epoch starts at about (12 − 2)² = 100
    const still = { ...recipe, baseLearningRate: 1e-9, minLearningRate: 0 };
    await expect(train({ ...rising, recipe: still, baseline: 1 }, state, context())).rejects.toThrow(
      /the loss was 49.00 in the last epoch, 9.000 in the first step and 1.000 for a prediction/,
    );
  });

  it('lets a training end above its first loss if a prediction without the image is even worse', async () => {
    const rising = task((step) => (step < 60 ? 2 : 12));
    const still = { ...recipe, baseLearningRate: 1e-9, minLearningRate: 0 };
    const { loss } = await train({ ...rising, recipe: still, baseline: 45 }, state, context());
    expect(loss).toBeCloseTo(49, 3);
  });

  it('saves and stops at the next step if asked to', async () => {
    const counting = task((step) => {
      if (step === 34) stop.abort();
      return 2;
    });
    await expect(train(counting, state, context())).rejects.toThrow(Interrupted);
    expect(state.step).toBe(35);
    expect(saved).toEqual([35]);
  });

  it('saves and stops at the end of an epoch if asked to in its last step', async () => {
    const counting = task((step) => {
      if (step === 29) stop.abort();
      return 2;
    });
    await expect(train(counting, state, context())).rejects.toThrow(Interrupted);
    expect([state.step, state.losses.length, saved]).toEqual([30, 1, [30]]);
  });

  it.each([0, 5])('keeps its %i steps if it receives a stop signal while it waits for data', async (steps) => {
    const waiting = task();
    const hanging = {
      ...waiting,
      batches: (epoch: number, from: number): AsyncIterable<{ target: tf.Scalar }[]> => {
        const batches = waiting.batches(epoch, from)[Symbol.asyncIterator]();
        const next = (): ReturnType<typeof batches.next> => {
          if (state.step < steps) return batches.next();
          queueMicrotask(() => {
            stop.abort();
          });
          return new Promise(() => undefined); // a disk that does not answer
        };
        return { [Symbol.asyncIterator]: () => ({ next }) };
      },
    };
    await expect(train(hanging, state, context())).rejects.toThrow(`stopped after step ${steps}`);
    expect(state.step).toBe(steps);
    expect(saved).toEqual(steps === 0 ? [] : [steps]);
  });

  it('is done if it receives a stop signal in the last step', async () => {
    const counting = task((step) => {
      if (step === 89) stop.abort();
      return 2;
    });
    expect((await train(counting, state, context())).steps).toBe(90);
    expect(saved).toEqual([90]);
  });

  it('saves after every step if no time may pass between two checkpoints, and once at the end of an epoch', async () => {
    await train(task(), state, { ...context(), saveEvery: -1 });
    expect(saved).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
  });

  it('reports images per second whose product with its seconds is the images of all steps', async () => {
    const { imagesPerSecond, seconds } = await train(task(), state, context());
    expect(imagesPerSecond! * seconds).toBeCloseTo(90 * recipe.batchSize, 6);
  });

  it('reports no images per second if no step was left', async () => {
    await train(task(), state, context());
    const again = await train(task(), state, context());
    expect(again).toMatchObject({ imagesPerSecond: null, seconds: 0, steps: 90, loss: state.losses[2], firstLoss: 9 });
  });

  it('reports no gradient norm if it is beyond the range of float32', async () => {
    // A gradient of 1e20: its square is 1e40, above the largest number of float32, 3.4e38.
    const steep = (): tf.Scalar => tf.mul<tf.Scalar>(tf.sum(state.parameters.get('w')!), 1e20);
    const { firstLoss, largestGradientNorm } = await train({ ...task(), loss: steep }, state, context());
    expect(firstLoss! / 5e20).toBeCloseTo(1, 6);
    expect(largestGradientNorm).toBeNull();
  });

  it('evaluates after each epoch, and before its checkpoint', async () => {
    const evaluated: number[][] = [];
    const onEpoch = (epochs: number) => () => {
      evaluated.push([epochs, state.step, saved.length]);
      return Promise.resolve();
    };
    await train({ ...task(), onEpoch }, state, context());
    expect(evaluated).toEqual([
      [1, 30, 0],
      [2, 60, 1],
      [3, 90, 2],
    ]);
  });
});
