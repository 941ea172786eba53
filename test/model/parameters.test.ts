/** Names, shapes, counts and initial values of the parameters, and the values that are loaded from a checkpoint. */
import * as tf from '@tensorflow/tfjs';
import {
  disposeParameters,
  initialValues,
  toParameters,
  toValues,
  transfer,
  type Purpose,
  type Values,
} from '../../src/model/parameters.js';
import { resolveModel, type ModelConfig } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';
import { layerScale, weightDecayOf } from '../../src/training/parameter-groups.js';
import { product } from '../support/arrays.js';
import { TINY } from './support.js';

const PRETRAINING: Purpose = { for: 'pretraining', masked: true };
const CLASSIFICATION: Purpose = { for: 'classification', classes: 10 };

const vitB = (overrides: Partial<ModelConfig> = {}): ModelConfig => ({
  ...resolveModel(modelSchema.parse({ preset: 'vit-b' }), 224),
  init: 'xavier-uniform', // faster to draw
  ...overrides,
});

/**
 * The parameters of a model too large to draw in a test: all its blocks have the same shapes, so one of each kind is
 * counted.
 */
function countByBlocks(config: ModelConfig, purpose: Purpose): { encoder: number; decoder: number; head: number } {
  const values = initialValues({ ...config, depth: 1, decoder: { ...config.decoder, depth: 1 } }, purpose, 0);
  const counts = { encoder: 0, decoder: 0, head: 0 };
  for (const [name, { shape }] of values) {
    if (name.endsWith('pos_embed')) continue;
    const part = /^(decoder|mask)/.test(name) ? 'decoder' : /^(fc_norm|head)/.test(name) ? 'head' : 'encoder';
    const { depth } = part === 'decoder' ? config.decoder : config;
    counts[part] += product(shape) * (name.includes('blocks.0.') ? depth : 1);
  }
  return counts;
}

function moments(data: Float32Array): { mean: number; std: number; most: number } {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  return { mean, std: Math.sqrt(variance), most: data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
}

function expectNear(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(tolerance);
}

const without = (values: Values, missing: string): Values => new Map([...values].filter(([name]) => name !== missing));

describe('the names', () => {
  it('are those of timm and MAE', () => {
    const names = [...initialValues({ ...TINY, depth: 1, classToken: true, qkvBias: 'all' }, PRETRAINING, 0).keys()];
    const block = (prefix: string): string[] =>
      ['norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2']
        .flatMap((layer) => [`${layer}.weight`, `${layer}.bias`])
        .map((name) => `${prefix}.0.${name}`);
    expect(names).toEqual([
      'patch_embed.proj.weight',
      'patch_embed.proj.bias',
      'pos_embed',
      'cls_token',
      ...block('blocks'),
      'norm.weight',
      'norm.bias',
      'decoder_embed.weight',
      'mask_token',
      'decoder_pos_embed',
      ...block('decoder_blocks'),
      'decoder_norm.weight',
      'decoder_norm.bias',
      'decoder_pred.weight',
      'decoder_pred.bias',
    ]);
  });

  it('include no mask token if nothing is masked', () => {
    const [masked, unmasked] = [true, false].map((masked) => initialValues(TINY, { for: 'pretraining', masked }, 0));
    expect([...masked!.keys()].filter((name) => !unmasked!.has(name))).toEqual(['mask_token']);
  });

  it('have a norm after the pooling instead of the encoder’s if tokens are averaged', () => {
    const names = (classToken: boolean, pooling: ModelConfig['pooling'] = 'mean'): string[] =>
      [...initialValues({ ...TINY, classToken, pooling }, CLASSIFICATION, 0).keys()].filter(
        (name) => !/blocks|embed/.test(name),
      );
    expect(names(false)).toEqual(['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
    expect(names(true)).toEqual(['cls_token', 'fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
    expect(names(true, 'class-token')).toEqual(['cls_token', 'norm.weight', 'norm.bias', 'head.weight', 'head.bias']);
  });
});

describe('the number of parameters', () => {
  // Of vit-b with the paper's decoder, layer by layer (PAPER.md §2). The published count includes a mask token, and for
  // the projection to q, k and v only the biases of q and v. It includes no bias between encoder and decoder, and no
  // position tables.
  const vitBlock = 2 * 2 * 768 + 768 * 2304 + 2 * 768 + (768 * 768 + 768) + (768 * 3072 + 3072) + (3072 * 768 + 768);
  const encoder = 768 * 768 + 768 + 12 * vitBlock + 2 * 768;
  const decoderBlock =
    2 * 2 * 384 + 384 * 1152 + 2 * 384 + (384 * 384 + 384) + (384 * 1536 + 1536) + (1536 * 384 + 384);
  const decoder = 768 * 384 + 384 + 4 * decoderBlock + 2 * 384 + (384 * 768 + 768);

  it('of vit-b with its decoder is the published 93,325,440', () => {
    expect(countByBlocks(vitB(), PRETRAINING)).toEqual({ encoder, decoder, head: 0 });
    expect([encoder, decoder, encoder + decoder]).toEqual([85_637_376, 7_688_064, 93_325_440]);
  });

  it('of a classifier with class token and all biases is the number of timm’s vit_base_patch16_224 minus its positions', () => {
    const config = vitB({ classToken: true, pooling: 'class-token', qkvBias: 'all' });
    const counts = countByBlocks(config, { for: 'classification', classes: 1000 });
    expect(counts.encoder + counts.head).toBe(86_567_656 - 197 * 768);
  });
});

describe('the initial values', () => {
  const values = initialValues({ ...TINY, dim: 96, decoder: { dim: 48, depth: 1, heads: 2 } }, PRETRAINING, 3);

  it.each(['blocks.0.attn.qkv.weight', 'blocks.1.mlp.fc2.weight', 'decoder_pred.weight'])(
    'of %s are normal with std 0.02 and truncated at 0.02',
    (name) => {
      const { mean, std, most } = moments(values.get(name)!.data);
      // A normal distribution truncated at one standard deviation has the variance 1 − 2φ(1)/(2Φ(1) − 1) = 0.2911 of
      // the original.
      expectNear(std / 0.02, Math.sqrt(0.2911), 0.02);
      expect(Math.abs(mean)).toBeLessThan(5e-4);
      expect(most).toBeLessThanOrEqual(Math.fround(0.02));
      expect(most).toBeGreaterThan(0.0199);
    },
  );

  it('of class and mask tokens are truncated normals too', () => {
    for (const name of ['mask_token', 'cls_token']) {
      const tokens = initialValues(
        { ...TINY, dim: 512, decoder: { ...TINY.decoder, dim: 512 }, classToken: true },
        PRETRAINING,
        3,
      );
      const { std, most } = moments(tokens.get(name)!.data);
      expectNear(std, 0.0108, 0.001);
      expect(most).toBeLessThanOrEqual(Math.fround(0.02));
    }
  });

  it.each([
    ['patch_embed.proj.weight', 1 / Math.sqrt(48)],
    ['patch_embed.proj.bias', 1 / Math.sqrt(48)],
    ['decoder_embed.weight', 1 / Math.sqrt(96)],
  ])('of %s are PyTorch’s: uniform within 1/√inputs', (name, bound) => {
    const { std, most } = moments(values.get(name)!.data);
    expect(most).toBeLessThanOrEqual(Math.fround(bound));
    expect(most).toBeGreaterThan(0.95 * bound);
    expectNear(std / bound, 1 / Math.sqrt(3), 0.1);
  });

  it('are 0 for other biases and 1 for the scales of norms', () => {
    for (const [name, { data }] of values) {
      if (name === 'patch_embed.proj.bias') continue;
      if (name.endsWith('bias')) expect([name, new Set(data)]).toEqual([name, new Set([0])]);
      if (/norm\d?\.weight$/.test(name)) expect([name, new Set(data)]).toEqual([name, new Set([1])]);
    }
  });

  it('of a truncated-normal model have timm’s std of 0.02: truncation at ±2 has no effect', () => {
    const config = { ...TINY, dim: 96, classToken: true, decoder: { dim: 48, depth: 1, heads: 2 } };
    const wide = initialValues({ ...config, init: 'truncated-normal' }, PRETRAINING, 3);
    for (const name of ['blocks.0.attn.qkv.weight', 'blocks.1.mlp.fc2.weight', 'decoder_pred.weight']) {
      const { mean, std, most } = moments(wide.get(name)!.data);
      expectNear(mean, 0, 0.001);
      expectNear(std, 0.02, 0.001);
      expect(most).toBeGreaterThan(0.05);
    }
    expectNear(moments(wide.get('cls_token')!.data).std, 0.02, 0.004);
    // The embeddings have PyTorch's default: timm's rule does not apply to the convolution and this layer.
    expect(moments(wide.get('patch_embed.proj.weight')!.data).most).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(48)));
  });

  it('of a xavier-uniform model are within √(6 / (inputs + outputs)), also for both embeddings', () => {
    const xavier = initialValues(
      { ...TINY, dim: 96, classToken: true, decoder: { dim: 64, depth: 1, heads: 2 }, init: 'xavier-uniform' },
      PRETRAINING,
      3,
    );
    for (const name of ['cls_token', 'mask_token']) {
      expectNear(moments(xavier.get(name)!.data).std, 0.02, 0.005);
      expect(moments(xavier.get(name)!.data).most).toBeGreaterThan(0.03); // is not truncated
    }
    // In MAE this bias has PyTorch's default.
    expectNear(moments(xavier.get('patch_embed.proj.bias')!.data).most, 1 / Math.sqrt(48), 0.02);
    for (const [name, bound] of [
      ['patch_embed.proj.weight', Math.sqrt(6 / (48 + 96))],
      ['decoder_embed.weight', Math.sqrt(6 / (96 + 64))],
      ['blocks.0.attn.qkv.weight', Math.sqrt(6 / (96 + 288))],
      ['blocks.0.mlp.fc1.weight', Math.sqrt(6 / (96 + 192))],
    ] as const) {
      const { std, most } = moments(xavier.get(name)!.data);
      expect(most).toBeLessThanOrEqual(Math.fround(bound));
      expect(most).toBeGreaterThan(0.99 * bound);
      expectNear(std / bound, 1 / Math.sqrt(3), 0.02);
    }
  });

  it('of a new classifier are a thousandth of truncated normals', () => {
    const { data } = initialValues({ ...TINY, dim: 96 }, { for: 'classification', classes: 100 }, 3).get(
      'head.weight',
    )!;
    const { std, most } = moments(data);
    expect(most).toBeLessThanOrEqual(Math.fround(2e-5));
    expectNear(std / 1e-5, 1.08, 0.03);
  });

  it('depend only on the seed and the name', () => {
    const data = (config: ModelConfig, purpose: Purpose, seed: number): Float32Array =>
      initialValues(config, purpose, seed).get('blocks.1.mlp.fc1.weight')!.data;
    const first = data(TINY, PRETRAINING, 1);
    expect(data({ ...TINY, depth: 5, classToken: true }, CLASSIFICATION, 1)).toEqual(first);
    expect(data(TINY, PRETRAINING, 2)).not.toEqual(first);
    const other = initialValues(TINY, PRETRAINING, 1).get('blocks.0.mlp.fc1.weight')!.data;
    expect(other).not.toEqual(first);
  });
});

describe('parameters on a device', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('are the same after upload and download, and no tensors remain', async () => {
    const values = initialValues(TINY, PRETRAINING, 0);
    const before = tf.memory().numTensors;
    const parameters = toParameters(values);
    expect(await toValues(parameters)).toEqual(values);
    disposeParameters(parameters);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are downloaded as copies, since some backends return the memory in which they train', async () => {
    const parameters = toParameters(initialValues(TINY, PRETRAINING, 0));
    const downloaded = (await toValues(parameters)).get('norm.weight')!.data;
    downloaded.fill(5);
    expect([...(await parameters.get('norm.weight')!.data())]).toEqual(Array(8).fill(1));
    disposeParameters(parameters);
  });

  it('are all trainable except the position tables', () => {
    const parameters = toParameters(initialValues({ ...TINY, classToken: true }, PRETRAINING, 0));
    const fixed = [...parameters].filter(([, { trainable }]) => !trainable).map(([name]) => name);
    expect(fixed).toEqual(['pos_embed', 'decoder_pos_embed']);
    disposeParameters(parameters);
  });
});

describe('transfer', () => {
  it('resamples the positions for images of another size, and takes all other weights', () => {
    const [small, large] = [TINY, { ...TINY, imageSize: 2 * TINY.imageSize }];
    const trained = initialValues(small, PRETRAINING, 1);
    const fresh = initialValues(large, CLASSIFICATION, 2);
    const both = transfer(trained, fresh);
    // test/parity/weights.test.ts compares the values with timm.
    const { shape, data } = both.get('pos_embed')!;
    expect(shape).toEqual(fresh.get('pos_embed')!.shape);
    expect(data).not.toEqual(fresh.get('pos_embed')!.data);
    expect(both.get('blocks.0.mlp.fc1.weight')).toEqual(trained.get('blocks.0.mlp.fc1.weight'));
    expect(() => transfer(initialValues({ ...small, dim: 2 * small.dim }, PRETRAINING, 1), fresh)).toThrow('has shape');
  });

  const trained = initialValues(TINY, PRETRAINING, 1);
  const fresh = initialValues(TINY, CLASSIFICATION, 2);

  it('takes the encoder of the checkpoint and keeps the initial head', () => {
    const both = transfer(trained, fresh);
    expect([...both.keys()]).toEqual([...fresh.keys()]);
    for (const [name, value] of both) expect(value).toBe((/^(fc_norm|head)/.test(name) ? fresh : trained).get(name));
  });

  it.each(['patch_embed.proj.weight', 'pos_embed', 'blocks.1.norm1.bias', 'blocks.0.attn.q_bias'])(
    'rejects a checkpoint without %s',
    (name) => {
      expect(() => transfer(without(trained, name), fresh)).toThrow(`the checkpoint has no ${name}`);
    },
  );

  it('rejects a checkpoint without the class token or the norm that the model needs', () => {
    const config: ModelConfig = { ...TINY, classToken: true, pooling: 'class-token' };
    const whole = initialValues(config, PRETRAINING, 1);
    for (const name of ['cls_token', 'norm.weight']) {
      expect(() => transfer(without(whole, name), initialValues(config, CLASSIFICATION, 2))).toThrow(name);
    }
  });

  it('rejects a checkpoint with more blocks than the model', () => {
    const deeper = initialValues({ ...TINY, depth: TINY.depth + 1 }, { for: 'encoding' }, 1);
    expect(() => transfer(deeper, fresh)).toThrow(`the checkpoint has blocks.${TINY.depth}.`);
  });

  it('rejects values of another shape and names both shapes', () => {
    const grey = new Map(trained).set('patch_embed.proj.weight', { shape: [16, 8], data: new Float32Array(128) });
    expect(() => transfer(grey, fresh)).toThrow('patch_embed.proj.weight has shape [16,8], not [48,8]');
    // The same number of values in another shape is rejected too.
    const turned = new Map(trained).set('blocks.0.mlp.fc1.weight', { shape: [16, 8], data: new Float32Array(128) });
    expect(() => transfer(turned, fresh)).toThrow('[16,8], not [8,16]');
  });
});

describe('the parameter groups', () => {
  it('decay the matrices and nothing else', () => {
    const values = initialValues({ ...TINY, classToken: true, depth: 1 }, PRETRAINING, 0);
    const decayed = [...values]
      .filter(([name]) => !name.endsWith('pos_embed')) // not trained
      .filter(([, { shape }]) => weightDecayOf(shape, 0.05) !== 0)
      .map(([name]) => name);
    const matrices = ['attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2'];
    expect(decayed).toEqual([
      'patch_embed.proj.weight',
      ...matrices.map((name) => `blocks.0.${name}.weight`),
      'decoder_embed.weight',
      ...matrices.map((name) => `decoder_blocks.0.${name}.weight`),
      'decoder_pred.weight',
    ]);
    expect(weightDecayOf([3, 4], 0.05)).toBe(0.05);
  });

  it('give twelve layers at a decay of 0.75 the rates computed by hand', () => {
    const names = [
      'patch_embed.proj.weight',
      'blocks.0.norm1.bias',
      'blocks.9.mlp.fc1.weight',
      'blocks.10.mlp.fc1.bias',
    ];
    const rates = [...names, 'blocks.11.attn.q_bias', 'fc_norm.weight', 'head.weight'].map((name) =>
      layerScale(name, 12, 0.75),
    );
    // 3¹³/4¹³, 3¹²/4¹², 27/64, 9/16, 3/4, 1, 1
    expect(rates).toEqual([1_594_323 / 67_108_864, 531_441 / 16_777_216, 0.421875, 0.5625, 0.75, 1, 1]);
  });

  it('group class token and positions with the embeddings, and the last norm with the head', () => {
    const rates = ['cls_token', 'pos_embed', 'patch_embed.proj.bias', 'norm.weight'].map((name) =>
      layerScale(name, 1, 0.5),
    );
    expect(rates).toEqual([0.25, 0.25, 0.25, 1]);
  });

  it('change no rate at a decay of 1', () => {
    for (const name of initialValues(TINY, PRETRAINING, 0).keys()) expect(layerScale(name, TINY.depth, 1)).toBe(1);
  });
});
