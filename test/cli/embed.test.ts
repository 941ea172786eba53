/** `vitmim embed`: which encoder, which images, which file, and what is refused. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { main } from '../../src/cli/main.js';
import { openDevice } from '../../src/backends/open.js';
import { stream } from '../../src/common/random.js';
import { openStageData } from '../../src/data/stage-data.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Plan, Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { sweepPaths } from '../../src/store/layout.js';
import { keepPlan } from '../../src/store/plans.js';
import { extractFeatures } from '../../src/training/features.js';
import { readParent } from '../../src/training/parent.js';
import { runStage } from '../../src/training/run-stage.js';
import { captured } from '../support/captured.js';
import { temporaryFolder } from '../support/cli.js';
import { readNpy } from '../support/npy.js';

const root = temporaryFolder();
const at = (...names: string[]): string => join(root.path, ...names);
const results = at('results');
const photos = at('data', 'test');

const SPEC = `
name: embedded
job:
  data: { name: image-folder, path: ${at('data')}, imageSize: 8 }
  model: { dim: 8, depth: 1, heads: 2, patchSize: 4, classToken: true, pooling: mean, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 4 }
  finetune: { epochs: 1, warmupEpochs: 0, batchSize: 4, ema: 0.5 }
  evaluate: [linear, finetune]
grid: { objective: [masked], seed: [0] }
`;

let plan: Plan;

async function writeImage(path: string, width: number, height: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const random = stream(0, 'image', path.slice(root.path.length));
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
}

beforeAll(async () => {
  for (const split of ['train', 'test']) {
    for (const [name, width, height] of [
      ['cat', 11, 8],
      ['dog', 8, 8],
    ] as const) {
      for (let i = 0; i < 2; i++) await writeImage(at('data', split, name, `${i}.png`), width + i, height);
    }
  }
  const device = await openDevice('cpu');
  const sweep = readSweep(SPEC, { file: 'embedded.yaml', defaultName: 'embedded' });
  const { fingerprint } = await openStageData(buildPlan(sweep, () => '').stages[0]!.config);
  plan = buildPlan(sweep, () => fingerprint);
  keepPlan(sweepPaths(results), plan, new Date(0));
  for (const stage of plan.stages.filter(({ config }) => config.kind !== 'linear')) {
    await runStage(stage, pathsOf(stage), {
      device: 'cpu',
      emit: () => undefined,
      signal: new AbortController().signal,
      mayWrite: () => undefined,
      checkpointEvery: Infinity,
    });
  }
  device.close();
});
afterAll(() => {
  root.remove();
});

const pathsOf = ({ id }: Stage) => sweepPaths(results).stage(id);
const stageOf = (kind: string): Stage => plan.stages.find(({ config }) => config.kind === kind)!;

/** Runs the command. Messages lie in one line, without the paths of the test. */
async function embed(...args: string[]) {
  const { value, text, stdout } = await captured(() => main(['embed', ...args, '--device', 'cpu']));
  return { code: value, text: text.replaceAll(root.path, '').replaceAll(/\n\s*/g, ' '), stdout };
}

const PRETRAINED = ['--results', results, '--kind', 'pretrain'];
const NAMES = ['cat/0.png', 'cat/1.png', 'dog/0.png', 'dog/1.png'];

test('a pre-training gives the features of the linear probe, bit by bit, with the names of the images', async () => {
  const out = at('probe.npy');
  const { code, stdout } = await embed(photos, ...PRETRAINED, '--out', out);
  expect([code, stdout]).toEqual([0, `${out}\n${at('probe.names.json')}\n`]);
  expect(JSON.parse(readFileSync(at('probe.names.json'), 'utf8'))).toEqual(NAMES);

  const device = await openDevice('cpu');
  const { config } = stageOf('linear');
  if (config.kind !== 'linear') throw new Error('not a linear probe');
  const { id } = stageOf('pretrain');
  const dataset = await openStageData(config);
  if (dataset.targets !== 'class') throw new Error('not a data set with classes');
  const { test: expected } = await extractFeatures(config, {
    dataset,
    parent: readParent(sweepPaths(results).stage(id), id).weights,
    identity: { stage: stageOf('linear').id, parent: id },
    device: 'cpu',
  });
  device.close();
  const { shape, values } = readNpy(out);
  expect(shape).toEqual([4, expected.width]);
  expect([...values]).toEqual([...expected.features]);
});

test('a fine-tuning with averaged weights, as a stage and as a file, gives the same features in each format', async () => {
  const [npy, csv] = [at('finetune.npy'), at('finetune.csv')];
  const stage = stageOf('finetune');
  expect(await embed(photos, '--results', results, '--stage', stage.id, '--out', npy)).toMatchObject({ code: 0 });
  expect(await embed(photos, '--weights', pathsOf(stage).checkpoint, '--out', csv)).toMatchObject({ code: 0 });
  const [header, ...rows]: string[][] = parse(readFileSync(csv, 'utf8'));
  expect(header).toEqual(['name', ...Array.from({ length: 8 }, (_, i) => `f${i}`)]);
  expect(rows.map(([name]) => name)).toEqual(NAMES);
  const written = rows.flatMap(([, ...numbers]) => numbers.map((text) => Math.fround(Number(text))));
  expect(written).toEqual([...readNpy(npy).values]);
  const file = at('finetune.parquet');
  expect(await embed(photos, '--results', results, '--out', file)).toMatchObject({ code: 0 });
  const objects = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
  expect(objects.map(({ name }) => name as string)).toEqual(NAMES);
  expect(objects.flatMap(({ features }) => features as number[])).toEqual(written);
  // The features are those of the averages, and normalised: their scale is 1 and their shift 0 at first.
  const mean = readNpy(npy)
    .values.subarray(0, 8)
    .reduce((sum, value) => sum + value / 8, 0);
  expect(mean).toBeCloseTo(0, 1);
});

test('files keep their order and the names that were given', async () => {
  const [first, second] = [join(photos, 'dog/1.png'), join(photos, 'cat/0.png')];
  const out = at('files.npy');
  expect(await embed(first, second, join(photos, 'dog'), ...PRETRAINED, '--out', out)).toMatchObject({ code: 0 });
  const inFolder = ['0.png', '1.png'].map((name) => join(photos, 'dog', name));
  expect(JSON.parse(readFileSync(at('files.names.json'), 'utf8'))).toEqual([first, second, ...inFolder]);
});

test('a spreadsheet does not compute a name', async () => {
  await writeImage(at('formula', '=1+1.png'), 8, 8);
  const out = at('formula.csv');
  expect(await embed(at('formula'), ...PRETRAINED, '--out', out)).toMatchObject({ code: 0 });
  expect(readFileSync(out, 'utf8')).toContain('\r\n./=1+1.png,');
});

describe('a file that cannot be decoded', () => {
  const folder = at('broken');
  beforeAll(async () => {
    await writeImage(join(folder, 'a.png'), 8, 8);
    writeFileSync(join(folder, 'b.png'), 'no image');
    writeFileSync(join(folder, 'c.png'), '');
  });

  test('ends the command with its name, and nothing is written', async () => {
    const out = at('failed', 'features.npy');
    const { code, text } = await embed(folder, ...PRETRAINED, '--out', out);
    expect(code).toBe(2);
    expect(text).toMatch(
      /vitmim: \/broken\/[bc]\.png cannot be decoded \(.*\); remove or replace it, or leave such files out: --corrupt skip/,
    );
    expect(readdirSync(dirname(out))).toEqual([]);
  });

  test('is left out and named with --corrupt skip', async () => {
    const out = at('skipped.npy');
    const { code, text } = await embed(folder, ...PRETRAINED, '--corrupt', 'skip', '--out', out);
    expect(code).toBe(0);
    expect(text).toContain(
      'warning: left out /broken/b.png, which cannot be decoded (it is no image of a known format',
    );
    expect(text).toContain('warning: left out /broken/c.png, which cannot be decoded (an empty file)');
    expect(readNpy(out).shape).toEqual([1, 8]);
    expect(JSON.parse(readFileSync(at('skipped.names.json'), 'utf8'))).toEqual(['a.png']);
  });

  test('leaves nothing to write if there is no other image', async () => {
    const out = at('none.csv');
    const { code, text } = await embed(join(folder, 'b.png'), ...PRETRAINED, '--corrupt', 'skip', '--out', out);
    expect([code, existsSync(out)]).toEqual([2, false]);
    expect(text).toContain('none of the images can be decoded');
  });
});

test.each([
  [['photos.txt', '--out', 'f.npy', ...PRETRAINED], 'there is no image photos.txt'],
  [[photos, '--out', 'f.bin', ...PRETRAINED], 'end it with one of .npy, .parquet, .csv'],
  [[photos, '--out', 'f.csv', '--tokens', ...PRETRAINED], '.csv files hold one row of numbers for each image'],
  [[photos, '--out', 'f.npy'], 'name an encoder: --results with --cell or --stage, or --weights'],
  [[photos, '--out', 'f.npy', '--weights', 'w.safetensors'], 'there is no file of weights at w.safetensors'],
  [[photos, '--out', 'f.npy', '--weights', 'w', '--cell', 'seed=0'], '--cell chooses a stage; use it with --results'],
  [[photos, '--out', 'f.npy', '--format', 'timm', ...PRETRAINED], '--format is of a file; use it with --weights'],
  [[photos, '--out', 'f.npy', '--results', results, '--cell', 'seed=9'], '--cell seed=9 matches no stage'],
])('%j is refused', async (args, message) => {
  expect(await embed(...args)).toEqual({ code: 2, text: expect.stringContaining(message) as string, stdout: '' });
});
