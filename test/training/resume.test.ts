/**
 * A stage that is stopped and resumed gives the same bits as an uninterrupted one. In this process, on the plain
 * backend.
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import { normalizeImage } from '../../src/common/image.js';
import { openDataset } from '../../src/data/dataset.js';
import { disposeParameters, toParameters } from '../../src/model/parameters.js';
import { features } from '../../src/model/vit.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { stagePaths } from '../../src/store/layout.js';
import { readJsonLines } from '../../src/store/files.js';
import type { StageEvent, StageResult } from '../../src/store/records.js';
import { extractFeatures } from '../../src/training/features.js';
import { Interrupted } from '../../src/training/interrupted.js';
import { readParent } from '../../src/training/parent.js';
import { runStage } from '../../src/training/run-stage.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { relativeError } from '../support/arrays.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 24, testImages: 10 }
  model: { dim: 16, depth: 2, heads: 2, decoder: { dim: 16, depth: 1, heads: 2 } }
  pretrain: { epochs: 3, batchSize: 4, accumulate: 2, warmupEpochs: 1, dropPath: 0.2, baseLearningRate: 0.04, clipGradient: 1 }
  finetune: { epochs: 3, batchSize: 4, warmupEpochs: 1, baseLearningRate: 0.04, evaluateEvery: 1, dropPath: 0.3 }
  linear: { epochs: 5, warmupEpochs: 1 }
  evaluate: [finetune, linear, knn]
grid: { objective: [masked+zoomed-in], seed: [3] }
`;

let stages: Stage[];
beforeAll(async () => {
  await openDevice('cpu');
  const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
  const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
  stages = buildPlan(sweep, () => fingerprint).stages;
});

/** A signal that is aborted from the given read of `aborted` on; training reads it once a step. */
function abortedAtLook(number: number): AbortSignal {
  let looks = 0;
  return Object.defineProperty(new AbortController().signal, 'aborted', { get: () => ++looks >= number });
}

/** Runs a stage; each attempt but the last stops at the given read of its signal. */
async function run(
  folder: string,
  stage: Stage,
  stops: number[] = [],
): Promise<{ result: StageResult; attempts: number; started: StageEvent[] }> {
  const paths = stagePaths(join(folder, stage.id));
  const started: StageEvent[] = [];
  for (let attempts = 1; ; attempts++) {
    const emit = (event: StageEvent): void => {
      if (event.type === 'started') started.push(event);
    };
    const signal = abortedAtLook(stops.shift() ?? Infinity);
    try {
      return {
        result: await runStage(stage, paths, {
          device: 'cpu',
          emit,
          signal,
          mayWrite: () => undefined,
          checkpointEvery: Infinity,
        }),
        attempts,
        started,
      };
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }
}

const weights = (folder: string, stage: Stage): Buffer => readFileSync(stagePaths(join(folder, stage.id)).checkpoint);

/** All values that must not depend on the number of interruptions. */
function lasting(result: StageResult): Partial<StageResult> {
  const { seconds: _, imagesPerSecond: __, ...rest } = result;
  return rest;
}

describe('a stage', () => {
  const whole = temporaryFolder();
  const broken = temporaryFolder();
  afterAll(() => {
    whole.remove();
    broken.remove();
  });

  it.each(['pretrain', 'finetune'] as const)('resumes bit-equal: %s', async (kind) => {
    const stage = stages.find(({ config }) => config.kind === kind)!;
    const one = await run(whole.path, stage);
    const many = await run(broken.path, stage, [4, 3, 6]);
    expect(one.attempts).toBe(1);
    // Stopped in the middle of epochs, after 4 and 7 steps, and again later.
    expect(many.attempts).toBe(4);
    expect(many.started.slice(0, 3)).toMatchObject([{ fromStep: 0 }, { fromStep: 4 }, { fromStep: 6 }]);
    expect(lasting(many.result)).toEqual(lasting(one.result));
    expect(weights(broken.path, stage).equals(weights(whole.path, stage))).toBe(true);
  });

  it('continues from the checkpoint before a damaged one, to the same bits, and keeps the best', async () => {
    const stage = stages.find(({ config }) => config.kind === 'finetune')!;
    const torn = temporaryFolder();
    cpSync(join(whole.path, stage.parent!), join(torn.path, stage.parent!), { recursive: true });
    const paths = stagePaths(join(torn.path, stage.id));
    const stop = abortedAtLook(8); // after an epoch of six steps, so that there are two checkpoints
    const surroundings = { device: 'cpu', mayWrite: () => undefined, checkpointEvery: Infinity };
    const attempt = (signal: AbortSignal, events: StageEvent[] = []) =>
      runStage(stage, paths, { ...surroundings, signal, emit: (event) => events.push(event) });
    await expect(attempt(stop)).rejects.toThrow(Interrupted);
    writeFileSync(paths.checkpoint, readFileSync(paths.checkpoint).subarray(0, -4));

    const events: StageEvent[] = [];
    await attempt(new AbortController().signal, events);
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning' }));
    expect(events.find(({ type }) => type === 'started')).toMatchObject({ fromStep: 6 });
    expect(weights(torn.path, stage).equals(weights(whole.path, stage))).toBe(true);
    expect(existsSync(paths.previousCheckpoint)).toBe(false);

    const accuracies = readJsonLines(paths.metrics).flatMap((line) => (line as { accuracy?: number }).accuracy ?? []);
    expect(Number(readSafetensors(paths.bestCheckpoint).metadata.accuracy)).toBe(Math.max(...accuracies));
    torn.remove();
  });

  it('writes checkpoints within epochs as often as requested', async () => {
    const stage = stages.find(({ config }) => config.kind === 'pretrain')!;
    const often = temporaryFolder();
    const paths = stagePaths(join(often.path, stage.id));
    const signal = new AbortController().signal;
    let saves = 0;
    const mayWrite = (): void => {
      saves += 1;
    };
    await runStage(stage, paths, { device: 'cpu', emit: () => undefined, signal, mayWrite, checkpointEvery: 0 });
    expect(saves).toBe(3 * 6 + 2); // each of six steps in three epochs, the preview and the result
    expect(weights(often.path, stage).equals(weights(whole.path, stage))).toBe(true);
    often.remove();
  });

  it.each(['linear', 'knn'] as const)('gives the same result twice: %s', async (kind) => {
    const stage = stages.find(({ config }) => config.kind === kind)!;
    const [first, second] = [await run(whole.path, stage), await run(broken.path, stage)];
    expect(lasting(second.result)).toEqual(lasting(first.result));
  });

  it('leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    for (const stage of stages) await run(whole.path, { ...stage });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('fine-tunes from the weights of its parent', async () => {
    const stage = stages.find(({ config }) => config.kind === 'finetune')!;
    if (stage.config.kind !== 'finetune') throw new Error('expected a fine-tuning');
    const recipe = { ...stage.config.recipe, epochs: 2, baseLearningRate: 1e-12, minLearningRate: 0 };
    const still: Stage = { ...stage, id: 'still', config: { ...stage.config, recipe } };
    await run(whole.path, still);
    const weightsOf = (id: string) => readSafetensors(stagePaths(join(whole.path, id)).checkpoint).tensors;
    const [before, after] = [weightsOf(stage.parent!), weightsOf('still')];
    for (const name of ['patch_embed.proj.weight', 'blocks.0.attn.qkv.weight', 'blocks.1.mlp.fc2.weight']) {
      expect(relativeError(after.get(name)!.data, before.get(name)!.data)).toBeLessThan(1e-6);
    }
  });

  it('probes the encoder of its parent, or an untrained one', async () => {
    const stage = stages.find(({ config }) => config.kind === 'knn')!;
    if (stage.config.kind !== 'knn') throw new Error('expected a kNN stage');
    const dataset = await openDataset(stage.config.data);
    if (dataset.targets !== 'class') throw new Error('expected classes of images');
    const parent = readParent(stagePaths(join(whole.path, stage.parent!)), stage.parent!).weights;
    const context = { dataset, device: 'cpu', identity: { stage: stage.id, parent: null } };
    const trained = await extractFeatures(stage.config, { ...context, parent });
    const fresh = await extractFeatures(stage.config, { ...context, parent: null });
    expect(relativeError(trained.test.features, fresh.test.features)).toBeGreaterThan(0.01);

    const { image } = await dataset.test.sample(0);
    const parameters = toParameters(parent);
    const expected = tf.tidy(() => {
      const pixels = Array.from(image.data, (value) => value / 255);
      const normalized = normalizeImage({ ...image, data: Float32Array.from(pixels) });
      return features(parameters, stage.config.model, tf.tensor4d(normalized.data, [1, 16, 16, 3])).dataSync();
    });
    disposeParameters(parameters);
    expect(relativeError(trained.test.features.subarray(0, expected.length), expected)).toBeLessThan(1e-5);
    expect(trained.train.labels).toHaveLength(dataset.train.length);
  });

  it('records its losses and evaluations', () => {
    const stage = stages.find(({ config }) => config.kind === 'finetune')!;
    const lines = readJsonLines(stagePaths(join(whole.path, stage.id)).metrics) as Record<string, number>[];
    expect(lines.filter((line) => 'accuracy' in line).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(lines.filter((line) => 'loss' in line).map(({ step }) => step)).toEqual([6, 12, 18]);
  });

  it('stores encoder, decoder and optimiser in its checkpoint, with its identity', () => {
    const [pretrain] = stages;
    const { tensors, metadata } = readSafetensors(stagePaths(join(whole.path, pretrain!.id)).checkpoint);
    expect(metadata).toMatchObject({ stage: pretrain!.id, step: '18' });
    for (const name of ['mask_token', 'decoder_pred.weight', 'optimizer.first.blocks.1.attn.qkv.weight']) {
      expect(tensors.has(name)).toBe(true);
    }
  });
});
