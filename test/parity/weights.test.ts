/**
 * Weights in and out: files of timm, MAE and transformers give their numbers here, and exported files give the numbers
 * there that they give here. weights.py writes the fixtures, and loads the exported files without a message.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { declarations, pretrainPurpose, type Purpose } from '../../src/spec/shapes.js';
import { disposeParameters, initialValues, toParameters, transfer } from '../../src/model/parameters.js';
import { resamplePositions } from '../../src/model/positions.js';
import { classify, encode, features, predict } from '../../src/model/vit.js';
import { normalizePatches, tokenSelection, tokenSquaredError } from '../../src/ops/index.js';
import { keptTokens, resolveModel, type EncoderConfig, type ModelConfig } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';
import { modelOfShapes } from '../../src/weights/architecture.js';
import { fit, chosenFormat, isMisfit } from '../../src/weights/convert.js';
import { exportFiles } from '../../src/weights/export/files.js';
import { writeExport } from '../../src/weights/export/write.js';
import { openWeightsFile } from '../../src/weights/read-file.js';
import type { TensorsByName } from '../../src/weights/tensors.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../src/common/image.js';
import { temporaryFolder } from '../support/cli.js';
import { readFixture, unpack, type PackedTensor } from './fixture.js';
import { EXPORT_CASES, TASK } from './weights-cases.js';

type Numbers = Partial<Record<'logits' | 'features' | 'tokens' | 'loss', PackedTensor>>;

interface Fixture {
  pixels: Record<string, PackedTensor>;
  noise: Record<string, PackedTensor>;
  exports: Record<string, { files: Record<string, string>; numbers: Numbers }>;
  written: Record<string, Numbers>;
  positions: { table: PackedTensor; resampled: Record<string, PackedTensor> };
}

const FOLDER = 'test/parity/fixtures/weights';
const fixture = readFixture('weights/weights') as Fixture;
const TOLERANCE = 1e-4;

const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

beforeAll(() => tf.setBackend('cpu'));

/** What a model computes with the images of the fixture, for those numbers that are asked for. */
function computed(
  model: EncoderConfig | ModelConfig,
  weights: TensorsByName,
  asked: Numbers,
): Record<string, Float32Array> {
  const values = new Map([...weights].map(([name, { shape, data }]) => [name, { shape: [...shape], data }]));
  const parameters = toParameters(values);
  const found = tf.tidy(() => {
    const { shape, ...packed } = fixture.pixels[String(model.imageSize)]!;
    const pixels = tf.tensor4d(unpack({ shape, ...packed }), shape as [number, number, number, number]);
    const images = tf.div<tf.Tensor4D>(tf.sub(pixels, [...IMAGENET_MEAN]), [...IMAGENET_STD]);
    const compute: Record<keyof Numbers, () => tf.Tensor> = {
      logits: () => classify(parameters, model, images),
      features: () => features(parameters, model, images),
      tokens: () => encode(parameters, model, images),
      loss: () => {
        const tokens = (model.imageSize / model.patchSize) ** 2;
        const noise = unpack(fixture.noise[String(tokens)]!);
        const kept = [0, 1].map((image) => {
          const own = noise.subarray(image * tokens, (image + 1) * tokens);
          const order = Int32Array.from(own.keys()).sort((a, b) => own[a]! - own[b]!);
          return order.subarray(0, keptTokens(tokens, 0.75));
        });
        const selection = tokenSelection(kept, tokens);
        const prediction = predict(parameters, model as ModelConfig, images, selection);
        return tokenSquaredError(prediction, normalizePatches(pixels, model.patchSize, 'patch'), selection.removed);
      },
    };
    const names = Object.keys(asked) as (keyof Numbers)[];
    return Object.fromEntries(names.map((name) => [name, compute[name]().dataSync<'float32'>().slice()]));
  });
  disposeParameters(parameters);
  return found;
}

function expectNumbers(found: Record<string, Float32Array>, expected: Numbers): void {
  const differences = Object.entries(expected).map(([name, packed]) => {
    const wanted = unpack(packed);
    expect(found[name]).toHaveLength(wanted.length);
    return [name, Math.max(...wanted.map((value, i) => Math.abs(value - found[name]![i]!)))] as const;
  });
  expect(differences.filter(([, difference]) => !(difference < TOLERANCE))).toEqual([]);
  expect(differences.length).toBeGreaterThan(0);
}

const exportsOf = EXPORT_CASES.flatMap(({ name, formats, source }) =>
  formats.map((format) => ({ name, format, source, known: fixture.exports[`${name}-${format}`]! })),
);

describe.each(exportsOf)('$name exported for $format', ({ name, format, source, known }) => {
  it('is the file that the other program loaded, byte by byte', async () => {
    const folder = join(root.path, `${name}-${format}`);
    await writeExport(folder, exportFiles(format, source), '');
    const digests = Object.keys(known.files).map((file) => {
      const bytes = readFileSync(join(folder, file));
      return [file, createHash('sha256').update(bytes).digest('hex')];
    });
    expect(Object.fromEntries(digests)).toEqual(known.files);
  });

  it('gives the same numbers there', () => {
    expectNumbers(computed(source.model, source.weights, known.numbers), known.numbers);
  });
});

/** The weights of a file in the model that the file says it is. */
function read(
  path: string,
  purposeOf: (model: ModelConfig) => Purpose,
  keys: { heads?: number; pooling?: string; qkvBias?: string; decoder?: object },
) {
  const file = openWeightsFile(path);
  const format = chosenFormat(path, file.tensors, 'auto');
  const model = { ...modelOfShapes(file, format, keys.heads), ...keys } as ModelConfig;
  const wanted = declarations(model, purposeOf(model));
  const outcome = fit(format, file.tensors, wanted);
  if (isMisfit(outcome)) throw new Error(JSON.stringify(outcome));
  return { format, model, weights: outcome.read() };
}

const pretraining = (model: ModelConfig): Purpose => pretrainPurpose({ model, task: TASK });
const DECODER = { decoder: { dim: 8, depth: 1, heads: 2, embedBias: true } };

describe('files of other programs', () => {
  const hf = readdirSync(FOLDER).filter((name) => /^hf\d$/.test(name));

  it.each([
    ['timm-class-token', { heads: 3 }, 5],
    ['timm-mean', { heads: 2, pooling: 'mean' }, 3],
    // A bias of k changes no attention, so it can be left out.
    ['timm-class-token', { heads: 3, qkvBias: 'qv' }, 5],
  ])('%s with %j gives the logits of timm', (name, keys, classes) => {
    const path = `${FOLDER}/${name}.safetensors`;
    const { format, model, weights } = read(path, () => ({ for: 'classification', classes }), keys);
    expect(format).toBe('timm');
    const numbers = { logits: fixture.written[name]!.logits! };
    expectNumbers(computed(model, weights, numbers), numbers);
  });

  it('timm-headless gives the features and tokens of timm', () => {
    const name = 'timm-headless';
    const { model, weights } = read(`${FOLDER}/${name}.safetensors`, () => ({ for: 'encoding' }), {
      heads: 3,
      pooling: 'mean',
    });
    const { logits, tokens } = fixture.written[name]!;
    const numbers = { features: logits!, tokens: tokens! };
    expectNumbers(computed(model, weights, numbers), numbers);
  });

  it('a model of MAE gives its tokens and its loss', () => {
    const { format, model, weights } = read(`${FOLDER}/mae.safetensors`, pretraining, { heads: 3, ...DECODER });
    expect(format).toBe('mae');
    expectNumbers(computed(model, weights, fixture.written.mae!), fixture.written.mae!);
  });

  it.each(hf)('ViTMAE of transformers (%s) gives its loss', (version) => {
    const folder = `${FOLDER}/${version}/mae`;
    const { format, model, weights } = read(`${folder}/model.safetensors`, pretraining, DECODER);
    expect(format).toBe('hf');
    const numbers = JSON.parse(readFileSync(`${folder}/numbers.json`, 'utf8')) as Numbers;
    expectNumbers(computed(model, weights, numbers), numbers);
  });

  it.each(hf)('the classifier of transformers (%s) gives its logits', (version) => {
    const folder = `${FOLDER}/${version}/classifier`;
    const { model, weights } = read(`${folder}/model.safetensors`, () => ({ for: 'classification', classes: 4 }), {});
    expect(model).toMatchObject({ heads: 2, pooling: 'class-token', patchSize: 16, imageSize: 32, mlpRatio: 3 });
    const numbers = JSON.parse(readFileSync(`${folder}/numbers.json`, 'utf8')) as Numbers;
    expectNumbers(computed(model, weights, numbers), numbers);
  });

  it('has files of transformers 4 and 5 to read', () => {
    expect(hf).toEqual(['hf4', 'hf5']);
  });
});

it.each(Object.entries(fixture.positions.resampled))(
  'a pre-training at 5 × 5 patches is fine-tuned at %s × %s with the positions of timm',
  (side, packed) => {
    const { table } = fixture.positions;
    const dim = table.shape[2]!;
    const [patchSize, heads, depth] = [4, 1, 1];
    const model = (rows: number) => resolveModel(modelSchema.parse({ patchSize, dim, heads, depth }), rows * patchSize);
    const trained = initialValues(model(5), { for: 'pretraining', masked: true }, 0);
    // A table as it could have been learnt.
    const learnt = new Map(trained).set('pos_embed', { shape: [25, dim], data: unpack(table).subarray(dim) });
    const fresh = initialValues(model(Number(side)), { for: 'classification', classes: 3 }, 0);
    const { shape, data } = transfer(learnt, fresh).get('pos_embed')!;
    const expected = unpack(packed).subarray(dim);
    expect(shape).toEqual([Number(side) ** 2, dim]);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThan(1e-5);
  },
);

it.each(Object.entries(fixture.positions.resampled))(
  'a table of 5 × 5 resampled to %s × %s is that of timm',
  (side, packed) => {
    const { table } = fixture.positions;
    const dim = table.shape[2]!;
    const own = resamplePositions(unpack(table).subarray(dim), 5, Number(side), dim);
    const expected = unpack(packed).subarray(dim);
    expect(own).toHaveLength(expected.length);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - own[i]!)))).toBeLessThan(1e-5);
  },
);
