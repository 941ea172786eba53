/**
 * Whole trainings against PyTorch and timm, from the files of the images to the results on disk: losses and learning
 * rates of every epoch, the final weights, the accuracies. training.py writes the fixture. It shares nothing with the
 * code under test except the rules of {@link texture} and {@link firstWeight} for images and initial weights.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { stream } from '../../src/common/random.js';
import { openDataset } from '../../src/data/dataset.js';
import { initialValues, type Purpose, type Values } from '../../src/model/parameters.js';
import type { EncoderConfig, ModelConfig } from '../../src/spec/model.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage, StageKind } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJson, readJsonLines, writeJson } from '../../src/store/files.js';
import { stagePaths, type StagePaths } from '../../src/store/layout.js';
import { resultSchema, type StageResult } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { readSafetensors, readSafetensorsHeader } from '../../src/store/safetensors.js';
import { disposeState, freshState, saveState } from '../../src/training/state.js';
import { temporaryFolder } from '../support/cli.js';
import { readFixture } from './fixture.js';

interface Run {
  kind: StageKind;
  dataset: 'views' | 'plain';
  recipe: Record<string, unknown>;
  trainImages: number;
  /** For pre-training. */
  objective?: string;
  maskRatio?: number;
  zeroLoss?: number;
  /** For all others. */
  labelFraction?: number;
  /** For fine-tuning: whether it starts from a pre-training. */
  parent?: boolean;
  /** Epoch, top-1 and top-5 of each evaluation. */
  accuracies?: [epoch: number, accuracy: number, top5: number][];
  steps: number;
  /** Mean loss of each epoch; for the linear probe, only of the last one. */
  losses?: number[];
  /** Mean loss of each epoch, of a stage that reports it as progress. */
  progress?: number[];
  /** Learning rate of the last step of each epoch. */
  rates?: number[];
  firstLoss?: number;
  largestGradientNorm?: number;
  /** By the name of the parameter: the norm of its change, and seven values of it at equal distances. */
  weights?: Record<string, number[]>;
  /** The same for the moving averages of the parameters. */
  averages?: Record<string, number[]>;
}

interface Fixture {
  seed: number;
  model: Record<string, unknown>;
  /** Images of each class. */
  counts: Record<'views' | 'plain' | 'test', number[]>;
  runs: Record<string, Run>;
}

const SIZE = 16;
const { seed, model, counts, runs } = readFixture('training') as Fixture;

/** Relative tolerance of losses. Rounding of float32 causes 1e-7. */
const LOSS_TOLERANCE = 1e-5;
/**
 * Tolerance of each value of a change of weights, relative to its root mean square. Rounding of weights near 1 causes
 * 6e-5.
 */
const WEIGHT_TOLERANCE = 1e-4;

const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

beforeAll(async () => {
  for (const dataset of ['views', 'plain'] as const) {
    for (const split of ['train', 'test'] as const) {
      const own = counts[split === 'test' ? 'test' : dataset];
      for (const [label, count] of own.entries()) {
        const folder = join(root.path, dataset, split, `class-${label}`);
        mkdirSync(folder, { recursive: true });
        for (let number = 0; number < count; number++) {
          const drawn = split === 'train' ? `${dataset}-train` : 'test';
          const varied = split === 'train' && dataset === 'views';
          const [height, width] = varied ? [18 + (number % 4), 16 + ((3 * number) % 7)] : [SIZE, SIZE];
          const raw = { height, width, channels: 3 } as const;
          const file = join(folder, `${String(number).padStart(3, '0')}.png`);
          await sharp(texture(drawn, label, number, height, width), { raw })
            .png()
            .toFile(file);
        }
      }
    }
  }
});

/** A texture of the class, with noise. */
function texture(split: string, label: number, number: number, height: number, width: number): Uint8Array {
  const random = stream(0, 'golden', split, label, number);
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [y, x, channel] = [Math.floor(i / (3 * width)), Math.floor(i / 3) % width, i % 3];
    const stripe = ((x * ((label % 3) + 1) + y * (Math.floor(label / 3) + 1)) >> 2) & 1;
    return Math.floor(random.uniform() * 190) + 34 * stripe + 15 * ((label + channel) % 3);
  });
}

/** Values other than 0 and 1, which would hide mistakes. */
function firstWeight(name: string, shape: number[]): Float32Array {
  const random = stream(5, 'golden', name);
  const mean = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal(mean, 0.2));
}

function firstWeights(config: EncoderConfig | ModelConfig, purpose: Purpose): Values {
  const declared = [...initialValues(config, purpose, 0)];
  return new Map(
    declared.map(([name, { shape, data }]) => [
      name,
      { shape, data: name.endsWith('pos_embed') ? data : firstWeight(name, shape) },
    ]),
  );
}

/** Writes the files of a stage and the checkpoint of its training at step 0. */
async function leaveCheckpoint(paths: StagePaths, stage: Stage, values: Values): Promise<void> {
  mkdirSync(paths.folder, { recursive: true });
  writeJson(paths.stage, stage);
  const state = freshState(values, { depth: 1, layerDecay: 1, weightDecay: 0 });
  await saveState(paths, { stage: stage.id, parent: null }, state);
  disposeState(state);
}

/** Writes the result of a pre-training that ended with its checkpoint; its other values are not read. */
function leaveResult(paths: StagePaths): void {
  const result: StageResult = {
    ...{ kind: 'pretrain', epochs: 1, steps: 1, imagesPerSecond: null, seconds: 0, corruptImages: [] },
    ...{ stage: null, parent: null },
    ...{ loss: 1, firstLoss: 1, largestGradientNorm: 1, batchSize: 1, losses: [1], zeroLoss: 1, trainImages: 1 },
    checkpoint: readSafetensorsHeader(paths.checkpoint).sha256,
  };
  writeJson(paths.result, result);
}

/** The stage of a run and its parent, planned from the text of a sweep. */
async function planned({ kind, dataset, recipe, ...run }: Run): Promise<{ stage: Stage; parent: Stage | undefined }> {
  const parentless = kind === 'finetune' && !run.parent;
  const job = {
    seed,
    model,
    objective: run.objective ?? (parentless ? 'scratch' : 'identity'),
    ...(run.maskRatio !== undefined && { maskRatio: run.maskRatio }),
    data: {
      name: 'image-folder',
      path: join(root.path, dataset),
      imageSize: SIZE,
      ...(run.labelFraction !== undefined && { labelFraction: run.labelFraction }),
    },
    [kind]: Object.fromEntries(Object.entries(recipe).filter(([, value]) => value !== null)),
    evaluate: [kind === 'pretrain' ? 'knn' : kind],
  };
  const sweep = readSweep(JSON.stringify({ job }), { file: 'golden.yaml', defaultName: 'golden' });
  const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
  const { stages } = buildPlan(sweep, () => fingerprint);
  const stage = stages.find(({ config }) => config.kind === kind)!;
  return { stage, parent: stages.find(({ id }) => id === stage.parent) };
}

/** The purpose of the model of a stage that has a checkpoint. */
function purposeOf({ config }: Stage): Purpose {
  if (config.kind === 'pretrain') return { for: 'pretraining', masked: config.task.maskRatio > 0 };
  return { for: 'classification', classes: counts.test.length };
}

/** The files of a finished run. */
interface Done {
  first: Values;
  result: StageResult;
  metrics: Record<string, number>[];
  paths: StagePaths;
  /** The losses of the progress that it reported. */
  progress: number[];
}

/** Runs the stage of a run from drawn weights: those of its parent, else those of a checkpoint at step 0. */
async function execute(name: string): Promise<Done> {
  const { stage, parent } = await planned(runs[name]!);
  const pathsOf = ({ id }: Stage): StagePaths => stagePaths(join(root.path, name, id));
  const paths = pathsOf(stage);
  const start = parent ?? stage;
  const first = firstWeights(start.config.model, purposeOf(start));
  await leaveCheckpoint(pathsOf(start), start, first);
  if (parent) leaveResult(pathsOf(parent));
  const progress: number[] = [];
  await runStage(stage, paths, {
    device: 'simd',
    emit: (event) => {
      if (event.type === 'progress') progress.push(event.loss);
    },
    signal: new AbortController().signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
  const result = readJson(paths.result, resultSchema)!;
  // A new classifier on a pre-trained encoder begins with its own head.
  const own =
    stage.config.kind === 'finetune' && parent ? initialValues(stage.config.model, purposeOf(stage), seed) : [];
  return {
    first: new Map([...own, ...first]),
    result,
    metrics: readJsonLines(paths.metrics) as Record<string, number>[],
    paths,
    progress,
  };
}

/** The largest difference of two lists, relative to the second's largest value. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!))) / scale;
}

/** A number of a result; NaN if it has none of that name. */
function numberOf(result: StageResult, key: string): number {
  const value: unknown = Object.entries(result).find(([name]) => name === key)?.[1];
  return typeof value === 'number' ? value : NaN;
}

const column = (metrics: Record<string, number>[], key: string): number[] =>
  metrics.flatMap((line) => (line[key] === undefined ? [] : [line[key]]));

let device: Device;
beforeAll(async () => {
  device = await openDevice('simd');
});
afterAll(() => {
  device.close();
});

describe.each(Object.entries(runs))('%s', (name, run) => {
  let done: Done;
  beforeAll(async () => {
    done = await execute(name);
  });

  const { kind, steps, trainImages, losses, rates, weights, accuracies } = run;

  it('runs as many steps on as many images', () => {
    expect(done.result).toMatchObject({ kind, steps, trainImages });
  });

  if (losses && rates) {
    it('has the losses and the learning rates of every epoch', () => {
      expect(distance(column(done.metrics, 'loss'), losses)).toBeLessThan(LOSS_TOLERANCE);
      expect(distance(column(done.metrics, 'learningRate'), rates)).toBeLessThan(1e-12);
      if (done.result.kind === 'pretrain') expect(distance(done.result.losses, losses)).toBeLessThan(LOSS_TOLERANCE);
    });
  }

  if (run.progress) {
    it('reports the loss of every epoch', () => {
      expect(distance(done.progress, run.progress!)).toBeLessThan(LOSS_TOLERANCE);
    });
  }

  const { firstLoss, largestGradientNorm, zeroLoss } = run;
  const single = { loss: losses?.at(-1), firstLoss, largestGradientNorm, zeroLoss };
  for (const [key, value] of Object.entries(single)) {
    if (value === undefined) continue;
    it(`has the ${key} of its result`, () => {
      expect(distance([numberOf(done.result, key)], [value])).toBeLessThan(LOSS_TOLERANCE);
    });
  }

  if (accuracies) {
    it('has the accuracies', () => {
      const [, accuracy, top5] = accuracies.at(-1)!;
      expect(numberOf(done.result, 'accuracy')).toBeCloseTo(accuracy, 9);
      expect(numberOf(done.result, 'top5')).toBeCloseTo(top5, 9);
      expect(numberOf(done.result, 'testImages')).toBe(counts.test.reduce((a, b) => a + b));
    });
  }

  const ended = [
    ['weights', '', weights],
    ['moving averages', 'average.', run.averages],
  ] as const;
  for (const [what, prefix, expected] of ended) {
    if (!expected) continue;
    it(`ends with the same ${what}`, () => {
      const last = readSafetensors(done.paths.checkpoint).tensors;
      const errors = Object.entries(expected).map(([parameter, [length, ...values]]): [string, number] => {
        const begin = done.first.get(parameter)!.data;
        const change = last.get(`${prefix}${parameter}`)!.data.map((value, i) => value - begin[i]!);
        const own = values.map((_, i) => change[Math.floor((i * change.length) / values.length)]!);
        const scale = length! / Math.sqrt(change.length); // root of the mean square
        const apart = own.map((value, i) => Math.abs(value - values[i]!) / scale);
        return [parameter, Math.max(Math.abs(Math.hypot(...change) / length! - 1), ...apart)];
      });
      expect(errors.filter(([, error]) => !(error < WEIGHT_TOLERANCE))).toEqual([]);
      const trained = [...last.keys()].filter((key) => !/pos_embed$|^(optimizer|average|progress)\./.test(key));
      expect(Object.keys(expected).sort()).toEqual(trained.sort());
    });
  }

  if (kind === 'finetune') {
    it('has the accuracies of each evaluation, and keeps the best weights', () => {
      const told = done.metrics.filter(({ accuracy }) => accuracy !== undefined);
      expect(told.map(({ epoch }) => epoch)).toEqual(accuracies!.map(([epoch]) => epoch));
      told.forEach(({ accuracy, top5 }, i) => {
        expect(accuracy).toBeCloseTo(accuracies![i]![1], 9);
        expect(top5).toBeCloseTo(accuracies![i]![2], 9);
      });
      const due = accuracies!.filter(([epoch]) => epoch % Number(run.recipe.evaluateEvery) === 0);
      const best = due.reduce((kept, next) => (next[1] > kept[1] ? next : kept));
      expect(readSafetensors(done.paths.bestCheckpoint).metadata.epoch).toBe(String(best[0]));
    });
  }
});
