/**
 * Exported ONNX models: the checker of the onnx package accepts them, and ONNX Runtime gives the numbers that the model gives
 * here. onnx_models.py runs both.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { stream } from '../../src/common/random.js';
import { disposeParameters, toParameters } from '../../src/model/parameters.js';
import { classify, encode, features } from '../../src/model/vit.js';
import { onnxFiles } from '../../src/weights/export/onnx.js';
import type { ExportSource } from '../../src/weights/export/source.js';
import { writeExport } from '../../src/weights/export/write.js';
import { hasPackages, PYTHON, onlyIf } from '../support/capabilities.js';
import { temporaryFolder } from '../support/cli.js';
import { unpack, type PackedTensor } from './fixture.js';
import { EXPORT_CASES } from './weights-cases.js';

interface Checked {
  opset: [domain: string, version: number][];
  /** The type and the shape of each input and output. */
  values: Record<string, (string | number)[]>;
  /** The type of each initialiser. */
  initializers: Record<string, string>;
  metadata: Record<string, string>;
  producer: string;
  /** The outputs for three images, and for the first of them by itself. */
  batch: Record<string, PackedTensor>;
  first: Record<string, PackedTensor>;
}

const BATCH = 3;
const TOLERANCE = 1e-4;
/** Of the largest value of an output: float16 has 11 bits, so that a factor is off by up to 2^-11 = 0.0005. */
const HALF_TOLERANCE = 5e-3;
const FORMS = {
  float32: { half: false, file: 'model.onnx' },
  half: { half: true, file: 'model_fp16.onnx' },
  'in two files': { half: false, file: 'model.onnx', mostBytes: 0 },
} as const;

const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

/** Random pixels, ImageNet-normalised: [batch, size, size, 3]. */
function pixelsOf(size: number): Float32Array {
  const random = stream(5, 'pixels', size);
  return Float32Array.from({ length: BATCH * size * size * 3 }, () => random.normal());
}

/** The numbers of a model by the names of its outputs. */
function computed({ kind, model, weights }: ExportSource): Record<string, Float32Array> {
  const parameters = toParameters(
    new Map([...weights].map(([name, { shape, data }]) => [name, { shape: [...shape], data }])),
  );
  const numbers = tf.tidy(() => {
    const { imageSize } = model;
    const images = tf.tensor4d(pixelsOf(imageSize), [BATCH, imageSize, imageSize, 3]);
    const outputs: Record<string, tf.Tensor> =
      kind === 'classifier'
        ? { logits: classify(parameters, model, images) }
        : { last_hidden_state: encode(parameters, model, images), pooled: features(parameters, model, images) };
    return Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => [name, output.dataSync<'float32'>().slice()]),
    );
  });
  disposeParameters(parameters);
  return numbers;
}

const largest = (values: Iterable<number>): number => Math.max(...Array.from(values, Math.abs));

/** The largest difference of each output from the expected one. */
const differences = (found: Record<string, PackedTensor>, expected: Record<string, Float32Array>) =>
  Object.fromEntries(
    Object.entries(expected).map(([name, wanted]) => {
      const values = unpack(found[name]!);
      return [name, values.length === wanted.length ? largest(wanted.map((value, i) => value - values[i]!)) : NaN];
    }),
  );

/** The model of a case, with the tensors of some names scaled. */
function scaled(name: string, pattern: RegExp, factor: number): ExportSource {
  const { source } = EXPORT_CASES.find((each) => each.name === name)!;
  const weights = [...source.weights].map(([key, { shape, data }]) => {
    return [key, { shape, data: pattern.test(key) ? data.map((value) => factor * value) : data }] as const;
  });
  return { ...source, weights: new Map(weights) };
}

const caseOf = (name: string, form: keyof typeof FORMS, source: ExportSource) => ({
  form,
  source,
  key: `${name} ${form}`,
});
const cases = [
  ...EXPORT_CASES.flatMap(({ name, source }) => [caseOf(name, 'float32', source), caseOf(name, 'half', source)]),
  caseOf('mean', 'in two files', scaled('mean', /^$/, 1)),
  // Tokens so small that the epsilon of a layer norm counts.
  caseOf('shrunk', 'float32', scaled('class-token', /^(patch_embed|pos_embed|cls_token)/, 1e-3)),
  // Residuals beyond the range of float16.
  caseOf('grown', 'half', scaled('class-token', /^pos_embed/, 1e6)),
];

onlyIf(hasPackages(['onnx', 'onnxruntime'], 'VITMIM_REQUIRE_ONNX'), describe)('a model exported to ONNX', () => {
  let checked: Record<string, Checked>;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    const runs: Record<string, object> = {};
    for (const { form, source, key } of cases) {
      const { file, ...options } = FORMS[form];
      const folder = join(root.path, key.replaceAll(' ', '-'));
      await writeExport(folder, onnxFiles(source, { version: '1.2.3', metadata: { cell: 'ünï' }, ...options }), '');
      const { imageSize } = source.model;
      const pixels = join(folder, 'pixels');
      // Channels come first there.
      const values = tf.tidy(() =>
        tf.transpose(tf.tensor4d(pixelsOf(imageSize), [BATCH, imageSize, imageSize, 3]), [0, 3, 1, 2]).dataSync(),
      );
      writeFileSync(pixels, values);
      runs[key] = { model: join(folder, 'onnx', file), pixels, shape: [BATCH, 3, imageSize, imageSize] };
    }
    writeFileSync(join(root.path, 'cases.json'), JSON.stringify(runs));
    const script = join(process.cwd(), 'test/parity/onnx_models.py');
    const { status, stdout, stderr } = spawnSync(PYTHON, [script, root.path], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    // The runtime warns of what a graph has and does not need.
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    checked = JSON.parse(stdout) as typeof checked;
  }, 120_000);

  describe.each(cases)('$key', ({ form, source, key }) => {
    it('gives the numbers of the model', () => {
      const expected = computed(source);
      const found = differences(checked[key]!.batch, expected);
      const most = (output: string): number =>
        form === 'half' ? HALF_TOLERANCE * largest(expected[output]!) : TOLERANCE;
      expect(Object.entries(found).filter(([output, difference]) => !(difference < most(output)))).toEqual([]);
      expect(Object.keys(found)).toEqual(Object.keys(checked[key]!.batch));
    });

    it('gives the same numbers for the first image by itself', () => {
      const { batch, first } = checked[key]!;
      const ofFirst = Object.fromEntries(
        Object.entries(batch).map(([output, packed]) => [
          output,
          unpack(packed).slice(0, unpack(packed).length / BATCH),
        ]),
      );
      expect(Object.values(differences(first, ofFirst)).filter((difference) => !(difference < TOLERANCE))).toEqual([]);
    });
  });

  it('takes normalised pixels, and has a batch of any size', () => {
    expect(checked['class-token float32']!.values).toEqual({
      pixel_values: ['tensor(float)', 'batch', 3, 16, 16],
      logits: ['tensor(float)', 'batch', 5],
    });
    // 16 patches, and the class token.
    expect(checked['pretrained half']!.values).toEqual({
      pixel_values: ['tensor(float)', 'batch', 3, 16, 16],
      last_hidden_state: ['tensor(float)', 'batch', 17, 12],
      pooled: ['tensor(float)', 'batch', 12],
    });
  });

  it('uses operator set 20 and no other', () => {
    for (const { opset } of Object.values(checked)) expect(opset).toEqual([['', 20]]);
  });

  it('says what it is in its metadata', () => {
    const { metadata, producer } = checked['mean float32']!;
    expect(producer).toBe('vitmim');
    expect(metadata).toEqual({
      cell: 'ünï',
      classes: '["ant","bee","cat","dog","eel"]',
      image_mean: '[0.485,0.456,0.406]',
      image_std: '[0.229,0.224,0.225]',
    });
  });

  it('has layer norms, positions and the head in float32 with half', () => {
    const { initializers } = checked['mean half']!;
    const floats = Object.keys(initializers).filter((name) => initializers[name] === 'FLOAT');
    expect(floats.filter((name) => !/norm\d?\.(weight|bias)$/.test(name)).sort()).toEqual(
      ['head.bias', 'head.weight', 'pos_embed'].sort(),
    );
    expect(initializers['blocks.0.attn.qkv.weight']).toBe('FLOAT16');
  });

  it('has its large tensors in a second file if it is too large for one', () => {
    const folder = join(root.path, 'mean-in-two-files/onnx');
    expect(statSync(join(folder, 'model.onnx_data')).size).toBeGreaterThan(1024);
    expect(existsSync(join(root.path, 'mean-float32/onnx/model.onnx_data'))).toBe(false);
    const config = JSON.parse(readFileSync(join(folder, '../config.json'), 'utf8')) as Record<string, object>;
    expect(config['transformers.js_config']).toEqual({ dtype: 'fp32', use_external_data_format: true });
  });
});
