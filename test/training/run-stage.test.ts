/** Stages that are rejected at their beginning, and the files of a finished stage. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { openDataset } from '../../src/data/dataset.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Stage, StageKind } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJson, writeJson } from '../../src/store/files.js';
import { siblingPaths, stagePaths, type StagePaths } from '../../src/store/layout.js';
import { resultSchema, stageSchema } from '../../src/store/records.js';
import { readSafetensorsHeader } from '../../src/store/safetensors.js';
import { runStage } from '../../src/training/run-stage.js';
import type { TrainingEvent } from '../../src/stages/events.js';
import { ownCache } from '../data/fixture.js';
import { temporaryFolder } from '../support/cli.js';

const SPEC = `
job:
  seed: 0
  data: { name: shapes, imageSize: 8, trainImages: 10, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, patchSize: 4, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 2, batchSize: 10, warmupEpochs: 0 }
  finetune: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
  evaluate: [finetune, knn]
  objective: masked
`;

const folder = temporaryFolder();
let device: Device;
let stages: Stage[];
beforeAll(async () => {
  device = await openDevice('simd');
  const sweep = readSweep(SPEC, { file: 'test.yaml', defaultName: 'test' });
  const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
  stages = buildPlan(sweep, () => fingerprint).stages;
});
afterAll(() => {
  device.close();
  folder.remove();
});

const stageOf = (kind: StageKind): Stage => stages.find(({ config }) => config.kind === kind)!;
const pathsOf = (sweep: string, { id }: Stage): StagePaths => stagePaths(join(folder.path, sweep, id));

function run(
  stage: Stage,
  sweep: string,
  mayWrite: () => void = () => undefined,
  emit: (event: TrainingEvent) => void = () => undefined,
) {
  const { signal } = new AbortController();
  const surroundings = { device: 'simd', emit, signal, mayWrite, checkpointEvery: Infinity };
  return runStage(stage, pathsOf(sweep, stage), surroundings);
}

it('names in its result the checkpoint that it wrote and the one from which it started', async () => {
  const [pretrain, finetune, knn] = [stageOf('pretrain'), stageOf('finetune'), stageOf('knn')];
  for (const stage of [pretrain, finetune, knn]) await run(stage, 'whole');
  const digestOf = (stage: Stage): string => readSafetensorsHeader(pathsOf('whole', stage).checkpoint).sha256;
  const parent = { id: pretrain.id, sha256: digestOf(pretrain) };
  const resultOf = (stage: Stage) => readJson(pathsOf('whole', stage).result, resultSchema);
  expect(resultOf(pretrain)).toMatchObject({ stage: pretrain.id, parent: null, checkpoint: digestOf(pretrain) });
  expect(resultOf(finetune)).toMatchObject({ stage: finetune.id, parent, checkpoint: digestOf(finetune) });
  expect(resultOf(knn)).toMatchObject({ stage: knn.id, parent, checkpoint: null });
});

describe('on images without classes and without a test set', () => {
  ownCache();

  it('pre-trains, and names a damaged image in its result and in a warning', async () => {
    const { cases } = JSON.parse(readFileSync('test/data/fixtures/decode.json', 'utf8')) as {
      cases: Record<string, { file: string }>;
    };
    const images = join(folder.path, 'images');
    mkdirSync(images);
    for (const name of ['jpeg-420', 'jpeg-cut-and-closed', 'jpeg-grey']) {
      writeFileSync(join(images, `${name}.jpg`), Buffer.from(cases[name]!.file, 'base64'));
    }
    const data = `{ name: image-folder, path: ${images}, imageSize: 8 }`;
    const text = SPEC.replace(/data: .*/, `data: ${data}`).replace(/evaluate: .*/, 'evaluate: []');
    const sweep = readSweep(text, { file: 'test.yaml', defaultName: 'test' });
    const { fingerprint } = await openDataset(sweep.cells[0]!.job.data);
    const [stage] = buildPlan(sweep, () => fingerprint).stages;
    const warnings: string[] = [];
    const result = await run(stage!, 'unlabelled', undefined, (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    });
    const damaged = join(images, 'jpeg-cut-and-closed.jpg');
    expect(result).toMatchObject({ trainImages: 3, corruptImages: [], damagedImages: [damaged] });
    expect(warnings).toContain(`used a damaged image, parts of which may be grey: ${damaged}`);
    expect(existsSync(pathsOf('unlabelled', stage!).preview)).toBe(true);
  });

  it('refuses an evaluation, with the remedy', async () => {
    const images = join(folder.path, 'images');
    const { data } = readSweep(`job: { data: { name: image-folder, path: ${images} } }`, {
      file: 'test.yaml',
      defaultName: 'test',
    }).cells[0]!.job;
    const { fingerprint } = await openDataset(data);
    const stage = stageOf('finetune');
    const unlabelled = { ...stage, parent: null, dataFingerprint: fingerprint, config: { ...stage.config, data } };
    await expect(run(unlabelled as Stage, 'refused')).rejects.toThrow(/needs classes of images.*evaluate: \[\]/);
  });
});

it('writes its configuration and removes the earlier checkpoint', async () => {
  const stage = stageOf('pretrain');
  await run(stage, 'files');
  const paths = pathsOf('files', stage);
  expect(readJson(paths.stage, stageSchema)).toEqual(stage);
  expect([existsSync(paths.checkpoint), existsSync(paths.previousCheckpoint)]).toEqual([true, false]);
});

it('keeps an existing configuration', async () => {
  const stage = stageOf('pretrain');
  const paths = pathsOf('kept', stage);
  await run(stage, 'kept');
  writeFileSync(paths.stage, `${readFileSync(paths.stage, 'utf8')}\n\n`);
  const before = readFileSync(paths.stage, 'utf8');
  await run(stage, 'kept');
  expect(readFileSync(paths.stage, 'utf8')).toBe(before);
});

it('rejects a data set that differs from the planned one', async () => {
  const stage = { ...stageOf('pretrain'), dataFingerprint: 'another' };
  await expect(run(stage, 'changed')).rejects.toThrow('the shapes data set changed since the sweep was planned');
  expect(existsSync(pathsOf('changed', stage).checkpoint)).toBe(false);
});

it('rejects float16 if the device does not multiply in it', async () => {
  const stage = stageOf('pretrain');
  const { config } = stage;
  if (config.kind !== 'pretrain') throw new Error('not a pre-training');
  const half: Stage = { ...stage, config: { ...config, model: { ...config.model, precision: 'float16' } } };
  await expect(run(half, 'half')).rejects.toThrow('device simd does not multiply in float16');
});

it('rejects a parent whose result is of another checkpoint', async () => {
  const [pretrain, finetune] = [stageOf('pretrain'), stageOf('finetune')];
  const result = await run(pretrain, 'swapped');
  const paths = siblingPaths(pathsOf('swapped', finetune), pretrain.id);
  writeJson(paths.result, { ...result, checkpoint: 'a'.repeat(64) });
  await expect(run(finetune, 'swapped')).rejects.toThrow('is not the checkpoint that');
});

it('writes no result after another process has taken over the stage', async () => {
  const stage = stageOf('knn');
  await run(stageOf('pretrain'), 'lost');
  const lost = new Error('lost');
  const running = run(stage, 'lost', () => {
    throw lost;
  });
  await expect(running).rejects.toBe(lost);
  expect(existsSync(pathsOf('lost', stage).result)).toBe(false);
});
