/** Model sizes: presets, their overrides in a spec, and numbers that contradict each other. */
import { UsageError } from '../../src/common/errors.js';
import { keptTokens, patchCount, resolveModel, type ResolvedModel } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';

const resolve = (spec: object, imageSize = 224): ResolvedModel => resolveModel(modelSchema.parse(spec), imageSize);

describe('resolveModel', () => {
  it.each([
    ['vit-ti', 192, 12, 3],
    ['vit-s', 384, 12, 6],
    ['vit-b', 768, 12, 12],
    ['vit-l', 1024, 24, 16],
  ])('gives %s the sizes of the literature', (preset, dim, depth, heads) => {
    expect(resolve({ preset })).toMatchObject({ imageSize: 224, patchSize: 16, dim, depth, heads, mlpRatio: 4 });
  });

  it('gives vit-b and vit-l the decoders of the paper', () => {
    expect(resolve({ preset: 'vit-b' }).decoder).toEqual({ dim: 384, depth: 4, heads: 6 });
    expect(resolve({ preset: 'vit-l' }).decoder).toEqual({ dim: 512, depth: 8, heads: 8 });
  });

  it('defaults to the paper: 1-D positions, no class token, no bias of k, truncated normals', () => {
    const { positions, classToken, pooling, qkvBias, init, scratchInit } = resolve({ preset: 'vit-b' });
    expect({ positions, classToken, pooling, qkvBias, init, scratchInit }).toEqual({
      positions: 'sincos-1d',
      classToken: false,
      pooling: 'mean',
      qkvBias: 'qv',
      init: 'truncated-normal-narrow',
      scratchInit: 'truncated-normal',
    });
  });

  it('draws small presets by Xavier’s rule, with pre-training and from scratch, so that no cell has a disadvantage', () => {
    for (const preset of ['vit-nano', 'vit-ti', 'vit-s']) {
      expect(resolve({ preset })).toMatchObject({ init: 'xavier-uniform', scratchInit: 'xavier-uniform' });
    }
  });

  it('uses the inits that a spec names', () => {
    const named = { init: 'truncated-normal', scratchInit: 'truncated-normal-narrow' };
    for (const preset of ['vit-nano', 'vit-l']) expect(resolve({ preset, ...named })).toMatchObject(named);
  });

  it('rejects features from a class token that does not exist', () => {
    expect(() => resolve({ pooling: 'class-token' })).toThrow(/model.pooling is class-token/);
    expect(resolve({ pooling: 'class-token', classToken: true }).pooling).toBe('class-token');
  });

  it('overrides the preset with the keys of the spec and keeps the others', () => {
    const config = resolve({ preset: 'vit-nano', dim: 48, decoder: { depth: 2 } }, 32);
    expect(config).toMatchObject({ dim: 48, depth: 4, heads: 3, patchSize: 4 });
    expect(config.decoder).toEqual({ dim: 64, depth: 2, heads: 2 });
  });

  it('never changes the preset itself by overrides', () => {
    const before = resolve({ preset: 'vit-s' });
    resolve({ preset: 'vit-s', dim: 192, decoder: { dim: 96 } });
    expect(resolve({ preset: 'vit-s' })).toEqual(before);
  });

  it.each<[string, object, number, string]>([
    ['patches that do not tile the image', { preset: 'vit-b' }, 225, 'patches of 16 px do not tile images of 225 px'],
    ['heads that do not divide the width', { heads: 5 }, 32, 'model.heads (5) does not divide model.dim (96)'],
    [
      'decoder heads that do not divide its width',
      { decoder: { heads: 3 } },
      32,
      'model.decoder.heads (3) does not divide model.decoder.dim (64)',
    ],
    ['an odd width', { dim: 9, heads: 3 }, 32, 'model.dim (9) must be a multiple of 2 for sincos-1d positions'],
    [
      'a width that two axes cannot share',
      { decoder: { dim: 66 }, positions: 'sincos-2d' },
      32,
      'model.decoder.dim (66) must be a multiple of 4 for sincos-2d positions',
    ],
  ])('refuses %s', (_what, spec, imageSize, message) => {
    const refused = (): ResolvedModel => resolve(spec, imageSize);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(message);
  });
});

describe('tokens', () => {
  it('are the patches of the image', () => {
    expect(patchCount({ imageSize: 224, patchSize: 16 })).toBe(196);
    expect(patchCount({ imageSize: 32, patchSize: 4 })).toBe(64);
  });

  it.each([
    [0, 196],
    [0.5, 98],
    [0.6, 78],
    [0.75, 49],
    [0.8, 39],
    [0.9, 19],
  ])('masked at %s leave %s of 196', (ratio, kept) => {
    expect(keptTokens(196, ratio)).toBe(kept);
  });

  it('are not lost by rounding, and at least one is kept', () => {
    expect(keptTokens(100, 0.55)).toBe(45); // 100 × (1 − 0.55) is 44.99999999999999
    expect(keptTokens(10, 0.9)).toBe(1);
    expect(keptTokens(4, 0.99)).toBe(1);
  });
});
