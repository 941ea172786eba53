/** The picture that a pre-training writes. In this process, on the plain backend. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJson } from '../../src/store/files.js';
import { stagePaths } from '../../src/store/layout.js';
import { resultSchema, type StageEvent } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 16, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, batchSize: 8, warmupEpochs: 0 }
  evaluate: [knn]
grid: { objective: [masked, masked+zoomed-in], seed: [0, 1] }
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

let stages: Stage[];
beforeAll(async () => {
  await openDevice('cpu');
  const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
  const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
  stages = buildPlan(sweep, () => fingerprint).stages;
});

function pretraining(kind: 'none' | 'zoomed-in', seed: number): Stage {
  return stages.find(
    ({ config }) => config.kind === 'pretrain' && config.seed === seed && config.task.geometry.kind === kind,
  )!;
}

/** Runs a stage in a separate folder, and returns its files and its warnings. */
async function run(stage: Stage, name: string) {
  const paths = stagePaths(join(folder.path, name));
  const warnings: string[] = [];
  const emit = (event: StageEvent): void => {
    if (event.type === 'warning') warnings.push(event.message);
  };
  const { signal } = new AbortController();
  await runStage(stage, paths, { device: 'cpu', emit, signal, mayWrite: () => undefined, checkpointEvery: Infinity });
  return { paths, warnings };
}

describe('a finished pre-training', () => {
  it('writes three held-out images beside their reconstructions, and leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    const { paths, warnings } = await run(pretraining('none', 0), 'first');
    expect(tf.memory().numTensors).toBe(before);
    expect(warnings).toEqual([]);
    // 16 pixels enlarged to 128, gaps of 4, a line of captions: original, input, reconstruction.
    const { format, width, height } = await sharp(paths.preview).metadata();
    expect([format, width, height]).toEqual(['png', 4 + 3 * 132, 20 + 3 * 132]);
    const input = await sharp(paths.preview)
      .extract({ left: 4 + 132, top: 20, width: 128, height: 128 })
      .removeAlpha()
      .raw()
      .toBuffer();
    const grey = input.filter((value) => Math.abs(value - 128) <= 2).length / input.length;
    expect(grey).toBeGreaterThan(0.7); // three quarters are hidden
  });

  it('shows the target if it differs from the original', async () => {
    const { paths } = await run(pretraining('zoomed-in', 0), 'zoomed');
    expect((await sharp(paths.preview).metadata()).width).toBe(4 + 4 * 132);
  });

  it('depends on its seed', async () => {
    const picture = async (seed: number, name: string) =>
      readFileSync((await run(pretraining('none', seed), name)).paths.preview);
    const first = readFileSync(stagePaths(join(folder.path, 'first')).preview);
    expect((await picture(0, 'again')).equals(first)).toBe(true);
    expect((await picture(1, 'other')).equals(first)).toBe(false);
  });

  it('keeps its result if the picture cannot be written', async () => {
    const { preview } = stagePaths(join(folder.path, 'refused'));
    mkdirSync(join(preview, 'in the way'), { recursive: true });
    const { paths, warnings } = await run(pretraining('none', 0), 'refused');
    expect(warnings).toEqual([expect.stringContaining('wrote no preview.png')]);
    expect(readJson(paths.result, resultSchema)?.kind).toBe('pretrain');
  });
});
