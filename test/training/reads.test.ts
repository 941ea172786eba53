/**
 * Which images each kind of stage reads, and for what purpose: whole stages on data whose splits log their reads.
 * Training never reads a test image, and no training image is scored.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import { labelledSubset, splitOf, type Dataset, type ImageSource } from '../../src/data/split.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage, StageConfig } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { finetune } from '../../src/training/finetune.js';
import { nearestNeighbours } from '../../src/training/knn.js';
import { linearProbe } from '../../src/training/linear.js';
import { Interrupted } from '../../src/training/interrupted.js';
import { pretrain } from '../../src/training/pretrain.js';
import { sealFor } from '../../src/data/stage-data.js';
import { separateValidation } from '../../src/data/validation.js';
import { EVALUATION_NAMES, EVALUATIONS } from '../../src/stages/index.js';
import type { StageContext } from '../../src/training/stage-context.js';
import { temporaryFolder } from '../support/cli.js';

const [TRAIN, TEST, CLASSES, SIDE] = [60, 45, 3, 8];
const FRACTION = 0.4;
const EPOCHS = 2;

const SPEC = `
job:
  data: { name: shapes, imageSize: ${SIDE}, trainImages: ${TRAIN}, testImages: ${TEST}, labelFraction: ${FRACTION} }
  model: { dim: 8, depth: 1, heads: 2, patchSize: 4, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: ${EPOCHS}, batchSize: 20, warmupEpochs: 0 }
  finetune: { epochs: ${EPOCHS}, batchSize: 8, warmupEpochs: 0, evaluateEvery: 1 }
  linear: { epochs: 2, batchSize: 8, warmupEpochs: 0 }
  knn: { k: 1 }
  attentive: { epochs: 2, batchSize: 8, warmupEpochs: 0 }
  robustness: { epochs: 2, batchSize: 8, warmupEpochs: 0 }
  evaluate: [finetune, linear, knn, attentive, robustness]
grid: { objective: [masked], seed: [0, 1] }
`;

const { stages } = buildPlan(readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' }), () => 'fingerprint');
const folder = temporaryFolder();
beforeAll(async () => {
  await openDevice('cpu');
});
afterAll(() => {
  folder.remove();
});

/**
 * Training images are dark, test images bright. The label of training image i is i mod 3. A test image has the label of
 * a class that its picture does not show, so that scores of training images and of test images differ.
 */
function recorded(undecodable: { train?: readonly number[]; test?: readonly number[] } = {}, trainImages = TRAIN) {
  const reads = { train: [] as number[], test: [] as number[] };
  const source = (split: 'train' | 'test', length: number): ImageSource => ({
    labels: Uint32Array.from({ length }, (_, i) => (split === 'train' ? i : i + 1) % CLASSES),
    names: { image: (index) => `${split}/${index}.png`, class: (label) => `class${label}` },
    read(index) {
      reads[split].push(index);
      if (undecodable[split]?.includes(index)) return Promise.resolve(null);
      // One channel is bright: in training, its index is the class.
      const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => (at % 3 === index % CLASSES ? 220 : 20));
      data[0] = index;
      return Promise.resolve({ data, height: SIDE, width: SIDE });
    },
  });
  const dataset: Dataset<'class'> = {
    name: 'recorded',
    targets: 'class',
    classes: ['class0', 'class1', 'class2'],
    fingerprint: 'fingerprint',
    train: splitOf(source('train', trainImages)),
    test: splitOf(source('test', TEST)),
  };
  return { dataset, reads };
}

type ConfigOf<Kind extends StageConfig['kind']> = Extract<StageConfig, { kind: Kind }>;

function stageOf<Kind extends StageConfig['kind']>(kind: Kind, seed: number): Stage & { config: ConfigOf<Kind> } {
  const of = (stage: Stage): stage is Stage & { config: ConfigOf<Kind> } =>
    stage.config.kind === kind && stage.config.seed === seed;
  return stages.find(of)!;
}

let runs = 0;
function contextOf(stage: Stage, dataset: Dataset<'class'>): StageContext<Dataset<'class'>> {
  const paths = stagePaths(join(folder.path, `${runs++}`));
  mkdirSync(paths.folder, { recursive: true });
  const { signal } = new AbortController();
  return {
    identity: { stage: stage.id, parent: null },
    paths,
    dataset,
    parent: null,
    device: 'cpu',
    emit: () => undefined,
    signal,
    mayWrite: () => undefined,
    cores: 1,
    checkpointEvery: Infinity,
  };
}

/** The evaluations of images with classes, as the recorded ones are. */
const CLASSIFICATIONS = EVALUATION_NAMES.filter((name) => EVALUATIONS[name].needs === 'class');

const ascending = (indices: readonly number[]): number[] => indices.toSorted((a, b) => a - b);
const upTo = (length: number): number[] => Array.from({ length }, (_, i) => i);
const times = (indices: readonly number[], count: number): number[] =>
  ascending(indices.flatMap((index) => new Array<number>(count).fill(index)));

/** The training images whose labels a seed may use, by their indices. */
function labelledBy(seed: number): number[] {
  const labels = Uint32Array.from({ length: TRAIN }, (_, i) => i % CLASSES);
  const chosen: number[] = [];
  const split = splitOf({
    labels,
    read(index) {
      chosen.push(index);
      return Promise.resolve({ data: new Uint8Array(3), height: 1, width: 1 });
    },
  });
  const subset = labelledSubset(split, { labelFraction: FRACTION }, seed);
  for (let i = 0; i < subset.length; i++) void subset.read(i);
  return ascending(chosen);
}

it('the two seeds draw different labels, eight of each class', () => {
  for (const seed of [0, 1]) {
    const counts = [0, 0, 0];
    for (const index of labelledBy(seed)) counts[index % CLASSES]! += 1;
    expect(counts).toEqual([8, 8, 8]);
  }
  expect(labelledBy(1)).not.toEqual(labelledBy(0));
});

describe('pre-training', () => {
  it('reads every training image in each epoch, and only the three test images of its picture', async () => {
    const { dataset, reads } = recorded();
    const stage = stageOf('pretrain', 1);
    await pretrain(stage.config, contextOf(stage, dataset));
    // Once more for the zero prediction's loss.
    expect(ascending(reads.train)).toEqual(times(upTo(TRAIN), EPOCHS + 1));
    expect(reads.test).toHaveLength(3);
  });

  it('computes the loss of a zero prediction on 256 images distributed over the training images', async () => {
    const { dataset, reads } = recorded({}, 600);
    const stage = stageOf('pretrain', 0);
    const stop = new AbortController();
    stop.abort();
    const training = pretrain(stage.config, { ...contextOf(stage, dataset), signal: stop.signal });
    await expect(training).rejects.toThrow(Interrupted);
    // 600 / 256 = 2.34 is the distance from each index to the next, before rounding.
    expect(reads.train.slice(0, 5)).toEqual([0, 2, 4, 7, 9]);
    expect(reads.train.slice(255, 256)).toEqual([597]);
    expect(reads.train.slice(0, 256)).toEqual(Array.from({ length: 256 }, (_, i) => Math.floor((i * 600) / 256)));
    // After these, two batches of 20 follow and more are prepared, but there is no 257th image of these.
    expect((reads.train.length - 256) % 20).toBe(0);
  });
});

describe.each([0, 1])('with seed %i', (seed) => {
  it('fine-tuning reads the labelled images in each epoch, and every test image once per evaluation', async () => {
    const { dataset, reads } = recorded();
    const stage = stageOf('finetune', seed);
    const { kind: _kind, ...result } = await finetune(stage.config, contextOf(stage, dataset));
    expect(ascending(reads.train)).toEqual(times(labelledBy(seed), EPOCHS));
    expect(ascending(reads.test)).toEqual(times(upTo(TEST), EPOCHS));
    expect(result).toMatchObject({ trainImages: 24, testImages: TEST });
  });

  it.each([
    ['the linear probe', 'linear', linearProbe],
    ['kNN', 'knn', nearestNeighbours],
  ] as const)('%s reads the labelled images and every test image once', async (_name, kind, run) => {
    const { dataset, reads } = recorded();
    const stage = stageOf(kind, seed);
    const result = await (run as (config: StageConfig, context: StageContext) => ReturnType<typeof run>)(
      stage.config,
      contextOf(stage, dataset),
    );
    expect(ascending(reads.train)).toEqual(labelledBy(seed));
    expect(ascending(reads.test)).toEqual(upTo(TEST));
    expect(result).toMatchObject({ trainImages: 24, testImages: TEST });
  });
});

it('scores are of the test images and their labels', async () => {
  // A neighbour with the same picture always has a label other than the test image's.
  const { dataset } = recorded();
  const stage = stageOf('knn', 0);
  const result = await nearestNeighbours(stage.config, contextOf(stage, dataset));
  expect(result).toMatchObject({ accuracy: 0 });
});

describe('if images cannot be decoded', () => {
  const broken = { train: [labelledBy(1)[5]!], test: [7, 30] };

  it.each([
    ['the linear probe', 'linear', linearProbe],
    ['kNN', 'knn', nearestNeighbours],
  ] as const)('%s uses and counts the others', async (_name, kind, run) => {
    const { dataset } = recorded(broken);
    const stage = stageOf(kind, 1);
    const result = await (run as (config: StageConfig, context: StageContext) => ReturnType<typeof run>)(
      stage.config,
      contextOf(stage, dataset),
    );
    expect(result).toMatchObject({ trainImages: 23, testImages: TEST - 2 });
    expect(ascending(result.corruptImages.map((file) => Number(/\d+/.exec(file)![0])))).toEqual(
      ascending([...broken.train, ...broken.test]),
    );
  });

  it('fine-tuning trains on a replacement, scores none, and counts and names the undecodable images', async () => {
    const { dataset } = recorded(broken);
    const stage = stageOf('finetune', 1);
    const result = await finetune(stage.config, contextOf(stage, dataset));
    expect(result).toMatchObject({ trainImages: 23, testImages: TEST - 2 });
    expect(result.corruptImages.toSorted()).toEqual(
      [`train/${broken.train[0]!}.png`, 'test/30.png', 'test/7.png'].toSorted(),
    );
  });

  it('pre-training trains on a replacement, and draws its picture from decodable images', async () => {
    const { dataset, reads } = recorded({ train: [3], test: upTo(TEST).filter((i) => i % 25 === 0) });
    const stage = stageOf('pretrain', 0);
    const result = await pretrain(stage.config, contextOf(stage, dataset));
    expect(result).toMatchObject({ trainImages: TRAIN - 1, corruptImages: ['train/3.png'] });
    expect(reads.train.filter((index) => index === 3)).toHaveLength(1);
    expect(reads.test.length).toBeGreaterThanOrEqual(3);
  });

  it('a class of the test set without any image left fails every evaluation', async () => {
    const gone = { test: upTo(TEST).filter((i) => (i + 1) % CLASSES === 1) };
    for (const [kind, run] of [
      ['finetune', finetune],
      ['linear', linearProbe],
      ['knn', nearestNeighbours],
    ] as const) {
      const stage = stageOf(kind, 0);
      const running = (run as (config: StageConfig, context: StageContext) => Promise<unknown>)(
        stage.config,
        contextOf(stage, recorded(gone).dataset),
      );
      await expect(running).rejects.toThrow(/of 45 images \(\d.*cannot be decoded \(test.0\.png/);
    }
  });
});

describe('among equally good weights', () => {
  it('fine-tuning keeps the earliest', async () => {
    const { dataset } = recorded();
    const stage = stageOf('finetune', 0);
    const still = { baseLearningRate: 1e-12, minLearningRate: 0, epochs: 3, evaluateEvery: 1 };
    const context = contextOf(stage, dataset);
    await finetune({ ...stage.config, recipe: { ...stage.config.recipe, ...still } }, context);
    expect(readSafetensors(context.paths.bestCheckpoint).metadata.epoch).toBe('1');
  });
});

describe('a linear probe', () => {
  it('stops before its end if asked to', async () => {
    const { dataset } = recorded();
    const stage = stageOf('linear', 0);
    const stop = new AbortController();
    stop.abort();
    const probing = linearProbe(stage.config, { ...contextOf(stage, dataset), signal: stop.signal });
    await expect(probing).rejects.toThrow(Interrupted);
  });

  it('leaks no tensor', async () => {
    const { dataset } = recorded();
    const stage = stageOf('linear', 0);
    const before = tf.memory().numTensors;
    await linearProbe(stage.config, contextOf(stage, dataset));
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    // The rate of a step is 8/256 of this. With a decay above 2 / rate, weights change sign and grow in every step; in
    // the first case they exceed the range of float32.
    ['grow beyond all numbers', 1e6, 1e6, 'the linear probe diverged'],
    ['turn round', 32, 8, 'in the last epoch'],
  ])('whose weights %s fails as diverged', async (_what, baseLearningRate, weightDecay, message) => {
    const { dataset } = recorded();
    const stage = stageOf('linear', 0);
    const recipe = { ...stage.config.recipe, baseLearningRate, weightDecay };
    const failure: unknown = await linearProbe({ ...stage.config, recipe }, contextOf(stage, dataset)).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ failure: 'diverged', message: expect.stringContaining(message) as string });
  });
});

describe('with validation images', () => {
  const drawn = { images: 12, splitSeed: 0 };
  /** The recorded data set with its validation images apart, sealed for a stage. */
  function separated(config: StageConfig, split?: 'validation') {
    const { dataset, reads } = recorded();
    const parts = { ...dataset, ...separateValidation(dataset.train, drawn) };
    const data = { ...config.data, validation: drawn };
    return { dataset: sealFor({ kind: config.kind, data, split }, parts), reads };
  }
  const validationImages = (): number[] => {
    const { dataset, reads } = recorded();
    const { validation } = separateValidation(dataset.train, drawn);
    for (let i = 0; i < validation.length; i++) void validation.read(i);
    return ascending(reads.train);
  };
  type Run = (config: StageConfig, context: StageContext) => Promise<{ accuracy: number; testImages: number }>;

  it.each(CLASSIFICATIONS)('%s that measures on them reads no test image, and each of them', async (kind) => {
    const stage = stageOf(kind, 0);
    const config = { ...stage.config, split: 'validation' } as StageConfig;
    const { dataset, reads } = separated(config, 'validation');
    const { testImages } = await (EVALUATIONS[kind].run as Run)(config, contextOf({ ...stage, config }, dataset));
    expect(testImages).toBe(12);
    expect(reads.test).toEqual([]);
    for (const index of validationImages()) expect(reads.train).toContain(index);
  });

  it.each(CLASSIFICATIONS)('%s that would measure on the test set by mistake fails', async (kind) => {
    const stage = stageOf(kind, 0);
    // The data set of a stage that may not read the test set, in an evaluation that reads it.
    const { dataset, reads } = separated(stage.config, 'validation');
    const { validation: _, ...without } = dataset;
    const running = (EVALUATIONS[kind].run as Run)(stage.config, contextOf(stage, without));
    await expect(running).rejects.toThrow('the test set cannot be read');
    expect(reads.test).toEqual([]);
  });

  it.each(CLASSIFICATIONS)('%s that measures on the test set trains on none of them', async (kind) => {
    const stage = stageOf(kind, 0);
    const config = { ...stage.config, recipe: { ...stage.config.recipe, evaluateEvery: undefined } } as StageConfig;
    const { dataset, reads } = separated(config);
    const { testImages } = await (EVALUATIONS[kind].run as Run)(config, contextOf({ ...stage, config }, dataset));
    expect(testImages).toBe(TEST);
    for (const index of validationImages()) expect(reads.train).not.toContain(index);
  });

  it('fine-tuning measures on them on the way, and on the test set only after its last step', async () => {
    const stage = stageOf('finetune', 0);
    const { dataset, reads } = separated(stage.config);
    const found: string[] = [];
    const context = contextOf(stage, dataset);
    await finetune(stage.config, {
      ...context,
      emit: (event) => {
        if (event.type === 'evaluated') found.push(`${event.epoch} ${event.split ?? 'test'} ${reads.test.length}`);
      },
    });
    expect(found).toEqual(['1 validation 0', `2 validation ${TEST}`, `2 test ${TEST}`]);
    expect(ascending(reads.test)).toEqual(upTo(TEST));
  });

  it('fine-tuning keeps the weights that are best on them', async () => {
    const stage = stageOf('finetune', 0);
    const { dataset } = separated(stage.config);
    const context = contextOf(stage, dataset);
    const best: number[] = [];
    await finetune(stage.config, {
      ...context,
      emit: (event) => {
        if (event.type === 'evaluated' && event.split === 'validation') best.push(event.metrics.accuracy!);
      },
    });
    const { metadata } = readSafetensors(context.paths.bestCheckpoint);
    expect(Number(metadata.accuracy)).toBe(Math.max(...best));
    expect(Number(metadata.epoch)).toBe(best.indexOf(Math.max(...best)) + 1);
  });

  it('pre-training reads no test image and trains on none of them: three are in its picture', async () => {
    const stage = stageOf('pretrain', 1);
    const { dataset, reads } = separated(stage.config);
    await pretrain(stage.config, contextOf(stage, dataset));
    expect(reads.test).toEqual([]);
    const own = new Set(validationImages());
    expect(reads.train.filter((index) => own.has(index))).toHaveLength(3);
    // The zero prediction's loss is of all 48 others; an epoch has two batches of 20.
    expect(reads.train).toHaveLength(48 + EPOCHS * 40 + 3);
  });
});
