/**
 * Every key of every recipe: a change of the key has the expected effect. The tables below name all keys of the schema,
 * so that a new one does not compile without its test. Stages run whole, on ten images in steps of all of them, so that
 * the log contains every step; the expected numbers are computed by hand.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { initialValues, type Purpose, type Values } from '../../src/model/parameters.js';
import { buildPlan, datasetsOf } from '../../src/spec/plan.js';
import type { PretrainSpec } from '../../src/spec/schema.js';
import type { RecipeSpecs } from '../../src/stages/index.js';
import type { Stage, StageKind } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJsonLines } from '../../src/store/files.js';
import { stagePaths } from '../../src/store/layout.js';
import type { StageResult } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { temporaryFolder } from '../support/cli.js';

const IMAGES = 10;
const DEPTH = 2;
const DATA = { name: 'shapes', imageSize: 8, trainImages: IMAGES, testImages: 40 };
const MODEL = {
  ...{ patchSize: 4, dim: 8, depth: DEPTH, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } },
  ...{ init: 'xavier-uniform', scratchInit: 'xavier-uniform' },
};

/** With corruptions, each test image is encoded 81 times. */
const FEW = { data: { ...DATA, testImages: 10 } };

/** No regularisation, and images without augmentation; the rate falls to 0. */
const PLAIN = {
  ...{ epochs: 6, batchSize: IMAGES, accumulate: 1, baseLearningRate: 0.1, minLearningRate: 0, warmupEpochs: 2 },
  ...{ weightDecay: 0, beta1: 0.9, beta2: 0.95, dropPath: 0, cropScale: [1, 1], flip: false },
};
const PLAIN_FINETUNE = { ...PLAIN, layerDecay: 1, scratchLayerDecay: 1, labelSmoothing: 0, mixup: 0, cutmix: 0 };
const PROBE = { epochs: 6, batchSize: IMAGES, baseLearningRate: 1, warmupEpochs: 2, weightDecay: 0 };
const RECIPES = {
  pretrain: PLAIN,
  finetune: PLAIN_FINETUNE,
  linear: PROBE,
  robustness: PROBE,
  knn: { k: 3, temperature: 0.1 },
  attentive: { epochs: 6, batchSize: IMAGES, baseLearningRate: 1, warmupEpochs: 2, weightDecay: 0 },
  segment: { ...PLAIN, train: 'head', dropout: 0, layerDecay: 1, scratchLayerDecay: 1 },
};

/**
 * Steps so small that the weights stay the same: the loss then changes from step to step only if the model's input
 * does.
 */
const STILL = { baseLearningRate: 1e-12, minLearningRate: 0 };
/** One step at the full rate: AdamW then moves every weight by the rate times the sign of its gradient. */
const ONE_STEP = { epochs: 1, warmupEpochs: 0 };
/** Enough steps to memorise ten labels. */
const LONG = { epochs: 80, baseLearningRate: 0.3 };

interface Outcome {
  result: StageResult;
  /** Losses of every step; with several steps in an epoch, of the last of each. */
  losses: number[];
  rates: number[];
  evaluatedAt: number[];
  keptBest: boolean;
  /** For a training: the final weights, and their change. */
  weights: Values;
  change: ReadonlyMap<string, number[]>;
}

/** Runs the stage with some keys of its recipe changed. */
type Run = (changed?: Record<string, unknown>, job?: Record<string, unknown>) => Promise<Outcome>;
type Check = (run: Run) => Promise<void>;

const norm = (values: Iterable<number>): number => Math.hypot(...values);
const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
const isMatrix = (name: string): boolean => name.endsWith('.weight') && !name.includes('norm');

/** Norm of the changes of the parameters whose names match a pattern. */
function moved({ change }: Outcome, pattern = /./): number {
  return norm([...change].filter(([name]) => pattern.test(name)).map(([, values]) => norm(values)));
}

/** Norm of the difference of two outcomes' changes, relative to the first's. */
function apart(a: Outcome, b: Outcome): number {
  const lengths = [...a.change].map(([name, values]) =>
    norm(values.map((value, i) => value - b.change.get(name)![i]!)),
  );
  return norm(lengths) / moved(a);
}

/** A key with which the model's input differs from step to step. */
const varies =
  (key: string, value: unknown): Check =>
  async (run) => {
    const fixed = { ...STILL, warmupEpochs: 0 };
    expect(spread((await run(fixed)).losses)).toBeLessThan(2e-7);
    // A new classifier begins near 0, so that the loss of fine-tuning hardly depends on the images.
    expect(spread((await run({ ...fixed, [key]: value })).losses)).toBeGreaterThan(1e-6);
    expect(apart(await run(ONE_STEP), await run({ ...ONE_STEP, [key]: value }))).toBeGreaterThan(0.1);
  };

/** A running mean: with bias correction it equals the gradient in the first step, and differs only later. */
const runningMean =
  (key: 'beta1' | 'beta2', value: number): Check =>
  async (run) => {
    expect(apart(await run(ONE_STEP), await run({ ...ONE_STEP, [key]: value }))).toBeLessThan(1e-3);
    expect(apart(await run(), await run({ [key]: value }))).toBeGreaterThan(0.05);
  };

const SHARED = {
  async epochs(run) {
    const outcome = await run({ epochs: 9 });
    expect(outcome.result).toMatchObject({ epochs: 9, steps: 9 });
    expect(outcome.losses).toHaveLength(9);
  },
  async batchSize(run) {
    const [whole, half] = [await run(), await run({ batchSize: IMAGES / 2 })];
    expect([whole.result.steps, half.result.steps]).toEqual([6, 12]);
    expect(half.result).toMatchObject({ batchSize: IMAGES / 2 });
    // The last step of the second epoch begins at epoch 1 of 2 of the warm-up, or at 1.5 of 2 with half the peak.
    expect(half.rates[1]! / whole.rates[1]!).toBeCloseTo(0.75, 9);
  },
  async accumulate(run) {
    const [whole, parts] = [await run(), await run({ accumulate: 2 })];
    expect(apart(whole, parts)).toBeLessThan(1e-3);
    expect(apart(whole, parts)).toBeGreaterThan(0); // the order of the sum differs
    parts.losses.forEach((loss, step) => {
      expect(loss).toBeCloseTo(whole.losses[step]!, 4);
    });
  },
  async baseLearningRate(run) {
    const [before, after] = [await run(), await run({ baseLearningRate: 0.2 })];
    expect(after.rates).toEqual(before.rates.map((rate) => expect.closeTo(2 * rate, 12) as number));
    expect(Math.max(...after.rates)).toBeCloseTo((0.2 * IMAGES) / 256, 12);
    const [small, large] = [await run(ONE_STEP), await run({ ...ONE_STEP, baseLearningRate: 0.2 })];
    expect(moved(large) / moved(small)).toBeCloseTo(2, 2);
  },
  async minLearningRate(run) {
    const [before, after] = [await run(), await run({ minLearningRate: 0.002 })];
    expect(after.rates.slice(0, 2)).toEqual(before.rates.slice(0, 2)); // the warm-up
    // The last step begins at 3/4 of the cosine, which is (1 + cos(3π/4))/2 of the way from the minimum.
    const share = (1 - Math.SQRT1_2) / 2;
    expect(before.rates.at(-1)).toBeCloseTo(share * before.rates[2]!, 12);
    expect(after.rates.at(-1)).toBeCloseTo(0.002 + share * (before.rates[2]! - 0.002), 12);
    expect(apart(before, after)).toBeGreaterThan(0.05);
  },
  async warmupEpochs(run) {
    const [warm, cold] = [await run({ epochs: 1, warmupEpochs: 0.5 }), await run(ONE_STEP)];
    expect([warm.rates[0], moved(warm)]).toEqual([0, 0]); // the first step changes nothing
    expect(cold.rates[0]).toBeCloseTo((0.1 * IMAGES) / 256, 12);
    expect((await run({ warmupEpochs: 4 })).rates.slice(0, 5)).toEqual(
      [0, 1, 2, 3, 4].map((step) => expect.closeTo(((step / 4) * 0.1 * IMAGES) / 256, 12) as number),
    );
  },
  async weightDecay(run) {
    const [free, decayed] = [await run(ONE_STEP), await run({ ...ONE_STEP, weightDecay: 10 })];
    const rate = (0.1 * IMAGES) / 256;
    for (const [name, change] of free.change) {
      const own = decayed.change.get(name)!;
      const begin = [...free.weights.get(name)!.data].map((value, i) => value - change[i]!);
      // Decoupled: a matrix also decreases by rate × decay of itself; other parameters do not.
      const expected = change.map((value, i) => value - (isMatrix(name) ? rate * 10 * begin[i]! : 0));
      expect(norm(own.map((value, i) => value - expected[i]!))).toBeLessThan(1e-3 * norm(expected) + 1e-6);
    }
    const norms = ({ weights }: Outcome): number =>
      norm([...weights].filter(([name]) => isMatrix(name)).map(([, { data }]) => norm(data)));
    expect(norms(decayed)).toBeLessThan(norms(free));
  },
  beta1: runningMean('beta1', 0),
  beta2: runningMean('beta2', 0.5),
  async clipGradient(run) {
    // With gradients far below AdamW's epsilon of 1e-8, a weight no longer changes by the whole rate.
    expect(moved(await run({ clipGradient: 1e-9 }))).toBeLessThan(0.2 * moved(await run()));
    expect(apart(await run(), await run({ clipGradient: 1e9 }))).toBe(0);
  },
  async dropPath(run) {
    const [whole, dropped] = [await run(ONE_STEP), await run({ ...ONE_STEP, dropPath: 0.999 })];
    // The last block's branches are dropped for every image, so that no gradient reaches them; the first block is not
    // dropped.
    expect(moved(whole, /^blocks\.1\..*(proj|fc2)\.weight/)).toBeGreaterThan(0.01);
    expect(moved(dropped, /^blocks\.1\..*(proj|fc2)\.weight/)).toBe(0);
    expect(moved(dropped, /^blocks\.0\..*(proj|fc2)\.weight/)).toBeGreaterThan(0.01);
  },
  cropScale: varies('cropScale', [0.2, 0.5]),
  flip: varies('flip', true),
} satisfies Record<string, Check>;

// `fromWeights` needs a file: test/weights/given.test.ts.
const PRETRAIN: Record<Exclude<keyof PretrainSpec, 'fromWeights'>, Check> = {
  ...SHARED,
  async data(run) {
    const [own, other] = [await run(ONE_STEP), await run({ ...ONE_STEP, data: { ...DATA, trainImages: 4 } })];
    expect([own.result.trainImages, other.result.trainImages]).toEqual([IMAGES, 4]);
  },
  async target(run) {
    // The loss of the zero prediction is the variance of the targets: (n − 1)/n of the unbiased 1, over n values of a
    // patch.
    const zeroLoss = async (target: string): Promise<number> => {
      const { result } = await run({ target });
      return result.kind === 'pretrain' ? result.zeroLoss : NaN;
    };
    expect(await zeroLoss('patch-channel')).toBeCloseTo(15 / 16, 3);
    expect(await zeroLoss('patch')).toBeCloseTo(47 / 48, 3);
    expect(Math.abs((await zeroLoss('none')) - 1)).toBeGreaterThan(0.1); // it depends on the pictures
  },
};

/** A key that distributes a label over several classes: the loss cannot fall below the entropy of that distribution. */
const raisesTheFloor =
  (key: string, value: number, floor: number): Check =>
  async (run) => {
    const last = async (changed: object): Promise<number> => (await run({ ...LONG, ...changed })).losses.at(-1)!;
    expect(await last({})).toBeLessThan(0.5);
    expect(await last({ [key]: value })).toBeGreaterThan(floor);
  };

/**
 * Layer decay: embeddings are DEPTH + 1 layers below the head, and their first step is smaller by that power of the
 * decay.
 */
const decays =
  (key: string, other: string, job: Record<string, unknown>): Check =>
  async (run) => {
    const [even, decayed] = [await run(ONE_STEP, job), await run({ ...ONE_STEP, [key]: 0.5 }, job)];
    for (const [pattern, layers] of [
      [/^patch_embed/, DEPTH + 1],
      [/^blocks\.0/, DEPTH],
      [/^blocks\.1/, DEPTH - 1],
      [/^(head|fc_norm|segment_)/, 0],
    ] as const) {
      expect(moved(decayed, pattern) / moved(even, pattern)).toBeCloseTo(0.5 ** layers, 2);
    }
    expect(apart(even, await run({ ...ONE_STEP, [other]: 0.5 }, job))).toBe(0);
  };

const FINETUNE: Record<keyof RecipeSpecs['finetune'], Check> = {
  ...SHARED,
  async corruptions(run) {
    const [plain, corrupted] = [await run(ONE_STEP, FEW), await run({ ...ONE_STEP, corruptions: true }, FEW)];
    expect(apart(plain, corrupted)).toBe(0);
    expect(plain.result).toMatchObject({ kind: 'finetune', meanError: null });
    expect(plain.result).not.toHaveProperty('corruptionErrors');
    expect(corrupted.result).toHaveProperty('corruptionErrors.fog');
    // test/training/corruptions.test.ts compares the numbers.
  },
  layerDecay: decays('layerDecay', 'scratchLayerDecay', { objective: 'identity' }),
  scratchLayerDecay: decays('scratchLayerDecay', 'layerDecay', { objective: 'scratch' }),
  // .55 for the label and .05 for nine others.
  labelSmoothing: raisesTheFloor('labelSmoothing', 0.5, -(0.55 * Math.log(0.55) + 0.45 * Math.log(0.05))),
  mixup: raisesTheFloor('mixup', 1, 0.5),
  cutmix: raisesTheFloor('cutmix', 1, 0.5),
  randAugment: varies('randAugment', { magnitude: 9, probability: 1 }),
  randomErasing: varies('randomErasing', 1),
  async ema(run) {
    const [plain, following, first] = [
      await run(LONG),
      await run({ ...LONG, ema: 0 }),
      await run({ ...LONG, ema: 1 - 1e-12 }),
    ];
    for (const averaged of [following, first]) expect(apart(plain, averaged)).toBe(0); // it changes no training
    expect(accuracyOf(following)).toBe(accuracyOf(plain));
    // The average is still at the first weights, as after a training with the rate 0. A new head is near 0, so that even a
    // thousandth of its change would decide.
    const untrained = await run({ ...ONE_STEP, baseLearningRate: 1e-30, minLearningRate: 0 });
    expect(accuracyOf(first)).toBe(accuracyOf(untrained));
    expect(accuracyOf(plain)).not.toBe(accuracyOf(untrained));
  },
  async imageSize(run) {
    const [same, larger] = [await run(ONE_STEP), await run({ ...ONE_STEP, imageSize: 24 })];
    expect(apart(same, await run({ ...ONE_STEP, imageSize: DATA.imageSize }))).toBe(0);
    expect(apart(same, larger)).toBeGreaterThan(0.1);
  },
  async scratch(run) {
    const changed = { scratch: { epochs: 9, layerDecay: 0.5 }, warmupEpochs: 0 };
    expect((await run(changed)).result).toMatchObject({ epochs: 9, steps: 9 });
    expect((await run(changed, { objective: 'identity' })).result).toMatchObject({ epochs: 6, steps: 6 });
  },
  async evaluateEvery(run) {
    const [last, often] = [await run(), await run({ evaluateEvery: 2 })];
    expect([last.evaluatedAt, last.keptBest]).toEqual([[6], false]);
    expect([often.evaluatedAt, often.keptBest]).toEqual([[2, 4, 6], true]);
  },
};

const lossOf = ({ result }: Outcome): number => ('loss' in result ? result.loss! : NaN);

const LINEAR: Record<keyof RecipeSpecs['linear'], Check> = {
  async epochs(run) {
    const [few, many] = [await run(), await run({ epochs: 60 })];
    expect([few.result.steps, many.result.steps]).toEqual([6, 60]);
    expect(lossOf(many)).toBeLessThan(lossOf(few));
  },
  async batchSize(run) {
    expect((await run({ batchSize: 5 })).result).toMatchObject({ steps: 12, batchSize: 5 });
  },
  async baseLearningRate(run) {
    // The loss of equal odds: ln 10.
    expect(lossOf(await run({ baseLearningRate: 1e-9 }))).toBeCloseTo(Math.log(10), 5);
    expect(lossOf(await run({ baseLearningRate: 2 }))).toBeLessThan(lossOf(await run()));
    await choosesOnValidation(run, [1e-9, 2]);
  },
  async warmupEpochs(run) {
    // Weights of zero predict equal odds. They are still zero in the second step if the first had the rate 0.
    expect(lossOf(await run({ epochs: 2, warmupEpochs: 1 }))).toBeCloseTo(Math.log(10), 5);
    expect(lossOf(await run({ epochs: 2, warmupEpochs: 0 }))).toBeLessThan(Math.log(10) - 0.01);
  },
  async weightDecay(run) {
    expect(lossOf(await run({ epochs: 60, weightDecay: 1 }))).toBeGreaterThan(lossOf(await run({ epochs: 60 })) + 0.1);
  },
  async labelFraction(run) {
    const data = { data: { ...DATA, trainImages: 40 } };
    expect((await run({}, data)).result).toMatchObject({ trainImages: 40 });
    expect((await run({ labelFraction: 0.5 }, data)).result).toMatchObject({ trainImages: 20 });
  },
  async optimizer(run) {
    const plain = await run();
    expect(lossOf(await run({ optimizer: 'sgd' }))).toBe(lossOf(plain));
    // LARS begins with other weights than 0, and its first steps are much smaller.
    const [slow, fast] = [await run({ optimizer: 'lars' }), await run({ optimizer: 'lars', baseLearningRate: 100 })];
    expect(lossOf(slow)).toBeGreaterThan(lossOf(plain));
    expect(lossOf(fast)).toBeLessThan(lossOf(slow));
  },
  async augment(run) {
    const plain = await run();
    expect(lossOf(await run({ augment: false }))).toBe(lossOf(plain));
    const augmented = await run({ augment: true });
    expect(augmented.result).toMatchObject({ steps: 6, trainImages: IMAGES });
    expect(lossOf(augmented)).not.toBe(lossOf(plain));
    // Several rates are trained in one pass on the same views.
    await choosesOnValidation((changed, job) => run({ augment: true, ...changed }, job), [1e-9, 2]);
  },
};

const accuracyOf = ({ result }: Outcome): number => ('accuracy' in result ? result.accuracy : NaN);

/** Of several rates, the result has one, with the numbers of this rate by itself. */
async function choosesOnValidation(run: Run, rates: number[]): Promise<void> {
  const data = { data: { ...DATA, trainImages: 40, validation: 0.5 } };
  const alone = await Promise.all(rates.map((rate) => run({ baseLearningRate: rate }, data)));
  const { result } = await run({ baseLearningRate: rates }, data);
  if (!('baseLearningRate' in result)) throw new Error('the result names no rate');
  const { stage, seconds, ...numbers } = alone[rates.indexOf(result.baseLearningRate!)]!.result;
  expect(result).toMatchObject(numbers);
}

const ATTENTIVE: Record<keyof RecipeSpecs['attentive'], Check> = {
  epochs: LINEAR.epochs,
  batchSize: LINEAR.batchSize,
  async baseLearningRate(run) {
    // The initial values are small: the scores are nearly 0, and the loss is nearly that of equal odds.
    expect(lossOf(await run({ baseLearningRate: 1e-9 }))).toBeCloseTo(Math.log(10), 2);
    expect(lossOf(await run())).toBeLessThan(Math.log(10) - 0.1);
    await choosesOnValidation(run, [1e-9, 1]);
  },
  async warmupEpochs(run) {
    expect(lossOf(await run({ epochs: 2, warmupEpochs: 1 }))).toBeCloseTo(Math.log(10), 2);
  },
  async weightDecay(run) {
    const still = { epochs: 60, baseLearningRate: 0.5 };
    expect(lossOf(await run({ ...still, weightDecay: 20 }))).toBeGreaterThan(lossOf(await run(still)) + 0.1);
  },
  labelFraction: LINEAR.labelFraction,
};

const KNN: Record<keyof RecipeSpecs['knn'], Check> = {
  async k(run) {
    const data = { data: { ...DATA, trainImages: 40 } };
    expect((await run({ k: 7 }, data)).result).toMatchObject({ k: 7 });
    expect((await run({ k: 41 }, data)).result).toMatchObject({ k: 40 });
    // All images have equal votes: every class has as many votes, the first one is chosen, and a tenth of the test
    // images has it.
    expect(accuracyOf(await run({ k: 40, temperature: 1e9 }, data))).toBeCloseTo(10, 9);
    expect(accuracyOf(await run({ k: 3 }, data))).toBeGreaterThan(10);
    const validated = { data: { ...DATA, trainImages: 40, validation: 0.5 } };
    const { result } = await run({ k: [20, 3, 1] }, validated);
    if (result.kind !== 'knn') throw new Error('not a result of knn');
    expect([20, 3, 1]).toContain(result.k);
    expect(result.accuracy).toBe(accuracyOf(await run({ k: result.k! }, validated)));
  },
  async temperature(run) {
    // Near 0 only the nearest neighbour decides, regardless of the number of votes.
    const data = { data: { ...DATA, trainImages: 40 } };
    const [nearest, cold] = [await run({ k: 1 }, data), await run({ k: 40, temperature: 0.01 }, data)];
    expect(accuracyOf(cold)).toBe(accuracyOf(nearest));
    expect(accuracyOf(await run({ k: 40, temperature: 1e9 }, data))).not.toBe(accuracyOf(nearest));
  },
  labelFraction: LINEAR.labelFraction,
};

const MASKED_DATA = { data: { ...DATA, masks: true } };

/** A check of the keys of an encoder that is trained. */
const whereAllIsTrained =
  (check: Check): Check =>
  (run) =>
    check((changed, job) => run({ train: 'all', ...changed }, job));

const SEGMENT: Record<keyof RecipeSpecs['segment'], Check> = {
  ...SHARED,
  async train(run) {
    const [head, all] = [await run(), await run({ train: 'all' })];
    expect([...head.change.keys()].every((name) => name.startsWith('segment_'))).toBe(true);
    expect(moved(head, /^segment_head/)).toBeGreaterThan(0.01);
    expect(moved(all, /^blocks/)).toBeGreaterThan(0.01);
  },
  async accumulate(run) {
    const [whole, parts] = [await run(ONE_STEP), await run({ ...ONE_STEP, accumulate: 2 })];
    // Each part is normalised by its own statistics, as in PyTorch.
    expect(parts.result).toMatchObject({ steps: whole.result.steps, batchSize: IMAGES });
    expect(parts.losses[0]).toBeCloseTo(whole.losses[0]!, 1);
    expect(apart(whole, parts)).toBeGreaterThan(0);
  },
  dropPath: whereAllIsTrained((run) => SHARED.dropPath(run)),
  dropout: varies('dropout', 0.5),
  layerDecay: whereAllIsTrained(decays('layerDecay', 'scratchLayerDecay', { objective: 'identity' })),
  scratchLayerDecay: whereAllIsTrained(decays('scratchLayerDecay', 'layerDecay', { objective: 'scratch' })),
  async labelFraction(run) {
    const data = { data: { ...DATA, masks: true, trainImages: 40 } };
    expect((await run({}, data)).result).toMatchObject({ trainImages: 40 });
    expect((await run({ labelFraction: 0.5 }, data)).result).toMatchObject({ trainImages: 20 });
  },
};

/** Each key does to the probe what it does to that of `linear`. */
const asLinear =
  (key: keyof RecipeSpecs['linear'], value: unknown): Check =>
  async (run) => {
    const [own, linear] = [await run({ [key]: value }), await outcomeOf('linear', { ...PROBE, [key]: value }, FEW)];
    expect([lossOf(own), accuracyOf(own), own.result.trainImages]).toEqual([
      ...[lossOf(linear), accuracyOf(linear)],
      linear.result.trainImages,
    ]);
    expect(own.result).toHaveProperty('error_fog');
  };

const ROBUSTNESS: Record<keyof RecipeSpecs['robustness'], Check> = {
  epochs: asLinear('epochs', 7),
  batchSize: asLinear('batchSize', 5),
  baseLearningRate: asLinear('baseLearningRate', 2),
  warmupEpochs: asLinear('warmupEpochs', 1),
  weightDecay: asLinear('weightDecay', 0.5),
  labelFraction: asLinear('labelFraction', 0.5),
  optimizer: asLinear('optimizer', 'lars'),
  augment: asLinear('augment', true),
};

/** What the jobs of a kind have in addition. */
const JOBS: Record<StageKind, Record<string, unknown>> = {
  pretrain: {},
  finetune: { objective: 'scratch' },
  linear: {},
  knn: {},
  attentive: {},
  robustness: FEW,
  segment: MASKED_DATA,
};

const CHECKS: Record<StageKind, Record<string, Check>> = {
  pretrain: PRETRAIN,
  finetune: FINETUNE,
  linear: LINEAR,
  knn: KNN,
  robustness: ROBUSTNESS,
  attentive: ATTENTIVE,
  segment: SEGMENT,
};

const folder = temporaryFolder();
let device: Device;
beforeAll(async () => {
  device = await openDevice('simd');
});
afterAll(() => {
  device.close();
  folder.remove();
});

/** Jobs' stages that have run: equal ones, and parents, run only once. */
const known = new Map<string, Promise<Outcome>>();

async function outcomeOf(kind: StageKind, recipe: object, job: Record<string, unknown>): Promise<Outcome> {
  const whole = {
    ...{ seed: 1, data: DATA, model: MODEL, objective: 'identity', ...RECIPES, ...job, [kind]: recipe },
    evaluate: [kind === 'pretrain' ? 'knn' : kind],
  };
  const sweep = readSweep(JSON.stringify({ job: whole }), { file: 'keys.yaml', defaultName: 'keys' });
  const fingerprints = new Map<string, string>();
  for (const data of datasetsOf(sweep)) fingerprints.set(JSON.stringify(data), (await openDataset(data)).fingerprint);
  const { stages } = buildPlan(sweep, (data) => fingerprints.get(JSON.stringify(data))!);
  const wanted = stages.find(({ config }) => config.kind === kind)!;
  for (const stage of stages) {
    if (stage.id !== wanted.id && stage.id !== wanted.parent) continue;
    if (!known.has(stage.id)) known.set(stage.id, execute(stage));
    await known.get(stage.id);
  }
  return known.get(wanted.id)!;
}

async function execute(stage: Stage): Promise<Outcome> {
  const paths = stagePaths(join(folder.path, stage.id));
  const result = await runStage(stage, paths, {
    device: 'simd',
    emit: () => undefined,
    signal: new AbortController().signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
  const metrics = readJsonLines(paths.metrics) as Record<string, number>[];
  const column = (key: string): number[] => metrics.flatMap((line) => line[key] ?? []);
  const trained = existsSync(paths.checkpoint) ? readSafetensors(paths.checkpoint).tensors : new Map<string, never>();
  const first = new Map([...firstValues(stage), ...parentValues(stage)]);
  const weights: Values = new Map(
    [...trained].filter(([name]) => !/pos_embed$|\.running_|^(optimizer|average|progress)\./.test(name)),
  );
  const change = [...weights].map(
    ([name, { data }]) => [name, Array.from(data, (value, i) => value - first.get(name)!.data[i]!)] as const,
  );
  return {
    result,
    losses: column('loss'),
    rates: column('learningRate'),
    evaluatedAt: metrics.filter((line) => 'accuracy' in line).map(({ epoch }) => epoch!),
    keptBest: existsSync(paths.bestCheckpoint),
    weights,
    change: new Map(change),
  };
}

function firstValues({ config }: Stage): Values {
  const purposeOf = (): Purpose => {
    if (config.kind === 'pretrain') return { for: 'pretraining', masked: false };
    if (config.kind === 'segment') return { for: 'segmentation', classes: 11, train: config.recipe.train };
    return { for: 'classification', classes: 10 };
  };
  const purpose = purposeOf();
  return initialValues(config.model, purpose, config.seed);
}

const parentValues = ({ parent }: Stage): Values =>
  parent === null
    ? new Map<string, never>()
    : readSafetensors(stagePaths(join(folder.path, parent)).checkpoint).tensors;

describe.each(Object.entries(CHECKS) as [StageKind, Record<string, Check>][])('%s', (kind, checks) => {
  // The expectations are in the checks.
  it.each(Object.entries(checks))('%s', async (_key, check) => {
    await check((changed, own) => outcomeOf(kind, { ...RECIPES[kind], ...changed }, { ...JOBS[kind], ...own }));
  });
});
