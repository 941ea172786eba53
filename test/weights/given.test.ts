/** Stages that start from a file of weights: what is taken from it, what is refused, and what of it the identity holds. */
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { openStageData } from '../../src/data/stage-data.js';
import { buildPlan, weightsOf } from '../../src/spec/plan.js';
import type { Plan, Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { sweepPaths } from '../../src/store/layout.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { collect } from '../../src/report/collect.js';
import { buildTables } from '../../src/report/report.js';
import { keepPlan } from '../../src/store/plans.js';
import { runStage } from '../../src/training/run-stage.js';
import { exportFiles } from '../../src/weights/export/files.js';
import { writeExport } from '../../src/weights/export/write.js';
import { checkGiven, digestOfWeights, readGiven, type ConfigWithWeights } from '../../src/weights/given.js';
import { hashFile, openWeightsFile } from '../../src/weights/read-file.js';
import { EXPORT_CASES } from '../parity/weights-cases.js';
import { temporaryFolder } from '../support/cli.js';

const root = temporaryFolder();
const at = (...names: string[]): string => join(root.path, ...names);
const { source } = EXPORT_CASES.find(({ name }) => name === 'pretrained')!;

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const format of ['timm', 'mae', 'hf'] as const) await writeExport(at(format), exportFiles(format, source), '');
});
afterAll(() => {
  root.remove();
});

const MODEL = `{ dim: 12, depth: 2, heads: 3, patchSize: 4, classToken: true, positions: sincos-2d, pooling: class-token,
    decoder: { dim: 8, depth: 1, heads: 2 }, weights: { file: FILE } }`;

function sweepOf(keys: { file?: string; grid?: string; size?: number; model?: string; more?: string } = {}) {
  const { file = at('timm', 'model.safetensors'), size = 16, model = MODEL } = keys;
  const text = `
name: given
job:
  data: { name: shapes, imageSize: ${size}, trainImages: 12, testImages: 6 }
  model: ${model.replace('FILE', file)}
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 12, baseLearningRate: 1.0e-12, minLearningRate: 0, fromWeights: true }
  evaluate: [knn]
  ${keys.more ?? ''}
grid: ${keys.grid ?? '{ objective: [pretrained] }'}
`;
  return readSweep(text, { file: 'given.yaml', defaultName: 'given' });
}

const planOf = (sweep: ReturnType<typeof sweepOf>, fingerprint = 'fingerprint'): Plan =>
  buildPlan(sweep, () => fingerprint, hashFile);

const givenOf = (plan: Plan, index = 0): ConfigWithWeights => {
  const { config } = plan.stages[index]!;
  return { ...config, weights: config.weights! };
};

describe('the identity of a stage', () => {
  const idOf = (file: string, objective = 'pretrained'): string =>
    planOf(sweepOf({ file, grid: `{ objective: [${objective}] }` })).stages[0]!.id;

  it('holds the content of the file, and not its place', () => {
    copyFileSync(at('timm', 'model.safetensors'), at('copy.safetensors'));
    expect(idOf(at('copy.safetensors'))).toBe(idOf(at('timm', 'model.safetensors')));
    appendFileSync(at('copy.safetensors'), ' ');
    expect(idOf(at('copy.safetensors'))).not.toBe(idOf(at('timm', 'model.safetensors')));
  });

  it('does not change if no weights are taken', () => {
    const scratch = (model: string): string =>
      planOf(sweepOf({ grid: '{ objective: [scratch] }', model })).stages[0]!.id;
    expect(scratch(MODEL)).toBe(scratch(MODEL.replace(', weights: { file: FILE }', '')));
    expect(idOf(at('timm', 'model.safetensors'))).not.toBe(scratch(MODEL));
  });
});

describe('a file', () => {
  it.each(['timm', 'mae', 'hf'])('in the format of %s gives the weights that were exported', (format) => {
    const values = readGiven(givenOf(planOf(sweepOf({ file: at(format, 'model.safetensors') }))));
    const names = [...values.keys()];
    expect(names).toEqual([...source.weights.keys()].filter((name) => !/^(decoder|mask)/.test(name)));
    for (const name of names) expect([name, values.get(name)!.data]).toEqual([name, source.weights.get(name)!.data]);
  });

  it('with other sizes is refused with every tensor and the keys to set', () => {
    const model = MODEL.replace('dim: 12, depth: 2', 'dim: 24, depth: 3').replace(
      'classToken: true',
      'classToken: false',
    );
    const config = givenOf(planOf(sweepOf({ model: model.replace('pooling: class-token', 'pooling: mean') })));
    const message =
      /missing: blocks\.2\.norm1\.weight.*\n.*unexpected: cls_token\n.*another shape: .*\[12, 3, 4, 4\], not \[24, 3, 4, 4\]/;
    expect(() => checkGiven(config)).toThrow(message);
    expect(() => checkGiven(config)).toThrow('{ dim: 12, depth: 2, classToken: true }; set these keys of model');
  });

  it('of another grid has its positions resampled', () => {
    const config = givenOf(planOf(sweepOf({ size: 24 })));
    expect(checkGiven(config)).toContain('position tables resampled 4 × 4 → 6 × 6');
    expect(readGiven(config).get('pos_embed')!.shape).toEqual([36, 12]);
  });

  it('that is a pickle is not read, and the message converts it', () => {
    const zip = at('mae.pth');
    writeFileSync(zip, Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(100)]));
    expect(() => openWeightsFile(zip)).toThrow(/pickle of PyTorch.*Convert it to safetensors: python3 -c/);
  });

  it('of another digest than the spec says is refused', () => {
    const weights = { file: at('timm', 'model.safetensors'), sha256: '0'.repeat(64) };
    expect(() => digestOfWeights(weights)).toThrow(/has the SHA-256 [0-9a-f]{64}, not 0000/);
  });

  it.each([
    ['is missing', null, 'there is no file of weights'],
    ['is cut short', Buffer.from([40, 0, 0, 0, 0, 0, 0, 0, 123]), 'its header is cut short'],
    ['is no JSON', Buffer.from('\x02\0\0\0\0\0\0\0{{'), 'its header is not JSON'],
    ['has offsets beyond its end', file({ a: tensor('F32', [2], [0, 8]) }, 4), 'a is cut short'],
    ['has offsets that do not fit the shape', file({ a: tensor('F32', [3], [0, 8]) }, 8), 'a is cut short'],
    ['has another type', file({ a: tensor('I64', [1], [0, 8]) }, 8), 'a is of type I64'],
  ])('that %s is refused', (what, bytes, message) => {
    const path = at(`${what}.safetensors`);
    if (bytes !== null) writeFileSync(path, bytes);
    expect(() => openWeightsFile(path)).toThrow(message);
  });

  it('in half precision is converted', () => {
    // 1.5, −2 and 2⁻²⁴ in float16; 1.5, −2 and 2⁻¹³³ in bfloat16
    const data = Buffer.from('003e00c00100' + 'c03f00c00100', 'hex');
    const path = at('half.safetensors');
    writeFileSync(path, file({ a: tensor('F16', [3], [0, 6]), b: tensor('BF16', [3], [6, 12]) }, data));
    const { tensors } = openWeightsFile(path);
    expect([...tensors.get('a')!.read()]).toEqual([1.5, -2, 2 ** -24]);
    expect([...tensors.get('b')!.read()]).toEqual([1.5, -2, 2 ** -133]);
  });
});

function tensor(dtype: string, shape: number[], offsets: number[]) {
  return { dtype, shape, data_offsets: offsets };
}

function file(header: object, data: number | Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

describe('a sweep', () => {
  const surroundings = {
    device: 'cpu',
    emit: () => undefined,
    signal: new AbortController().signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  };

  async function run(name: string, keys: Parameters<typeof sweepOf>[0]): Promise<{ plan: Plan; folder: string }> {
    const sweep = sweepOf(keys);
    const data = await openStageData(planOf(sweep).stages[0]!.config);
    const plan = planOf(sweep, data.fingerprint);
    const folder = at(name);
    keepPlan(sweepPaths(folder), plan, new Date(0));
    for (const stage of plan.stages) await runStage(stage, pathsOf(folder, stage), surroundings);
    return { plan, folder };
  }

  const pathsOf = (folder: string, { id }: Stage) => sweepPaths(folder).stage(id);

  it('has a row for the objective pretrained beside scratch', async () => {
    const { folder } = await run('beside', { grid: '{ objective: [scratch, pretrained] }' });
    const table = buildTables(collect([folder]), { metric: 'knn' }).find(({ name }) => name === 'objectives')!;
    const rows = table.rows.filter(({ n }) => n === 1);
    expect(rows.map(({ objective }) => objective)).toEqual(['scratch', 'pretrained']);
    const [scratch, pretrained] = rows.map(({ mean }) => Number(mean));
    expect(rows[1]!.gain_over_scratch).toBeCloseTo(pretrained! - scratch!, 9);
  });

  it('continues a pre-training from the encoder and the decoder of a file', async () => {
    const keys = { file: at('mae', 'model.safetensors'), grid: '{ objective: [masked] }', more: '' };
    const { plan, folder } = await run('continued', keys);
    const [stage] = plan.stages;
    const { tensors, metadata } = readSafetensors(pathsOf(folder, stage!).checkpoint);
    for (const [name, { data }] of source.weights) {
      const after = tensors.get(name)!.data;
      expect([name, Math.max(...data.map((value, i) => Math.abs(value - after[i]!)))]).toEqual([
        name,
        expect.closeTo(0, 6),
      ]);
    }
    expect(JSON.parse(metadata.cell!)).toEqual({ objective: 'masked', maskRatio: 0.75, seed: 0 });
    expect(JSON.parse(metadata.model!)).toMatchObject({ dim: 12, decoder: { dim: 8 } });
  });

  it('starts the decoder anew if the file has none', async () => {
    const keys = { file: at('timm', 'model.safetensors'), grid: '{ objective: [masked] }', more: '' };
    const { plan, folder } = await run('encoder', keys);
    const { tensors } = readSafetensors(pathsOf(folder, plan.stages[0]!).checkpoint);
    const apart = (name: string): number => Math.abs(tensors.get(name)!.data[5]! - source.weights.get(name)!.data[5]!);
    expect(apart('blocks.0.attn.qkv.weight')).toBeLessThan(1e-6);
    expect(apart('decoder_pred.weight')).toBeGreaterThan(1e-3);
  });

  it('fails a stage whose file has changed since the plan', async () => {
    mkdirSync(at('changing'));
    const path = at('changing', 'model.safetensors');
    copyFileSync(at('timm', 'model.safetensors'), path);
    const sweep = sweepOf({ file: path });
    const data = await openStageData(planOf(sweep).stages[0]!.config);
    const [stage] = planOf(sweep, data.fingerprint).stages;
    copyFileSync(at('mae', 'model.safetensors'), path);
    await expect(runStage(stage!, pathsOf(at('changed'), stage!), surroundings)).rejects.toThrow(
      /has the SHA-256 .*, not/,
    );
  });

  it('without a file is refused with the key', () => {
    const model = MODEL.replace(', weights: { file: FILE }', '');
    expect(() => sweepOf({ model })).toThrow('the objective pretrained needs a file of weights; add model.weights');
    expect(() => sweepOf({ model, grid: '{ objective: [masked] }' })).toThrow('pretrain.fromWeights needs a file');
  });

  it('lists each stage that takes weights', () => {
    expect(
      weightsOf(sweepOf({ grid: '{ objective: [scratch, masked, pretrained] }' })).map(({ kind }) => kind),
    ).toEqual(['pretrain', 'knn']);
  });
});
