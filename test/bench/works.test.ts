/** The works that are measured: their shapes against counts by hand. */
import { flopsPerImage, modelOf, PRECISIONS, workNamed, WORKS } from '../../bench/works.js';
import { initialValues } from '../../src/model/parameters.js';

test('G1 and G2 are ViT-B/16 as its preset has it, with the decoder of the paper', () => {
  const { dim, depth, heads, patchSize, imageSize, decoder } = modelOf(WORKS.G1!);
  expect({ dim, depth, heads, patchSize, imageSize }).toEqual({
    dim: 768,
    depth: 12,
    heads: 12,
    patchSize: 16,
    imageSize: 224,
  });
  expect(decoder).toEqual({ dim: 384, depth: 4, heads: 6 });
  expect(WORKS.G2!.model).toEqual({ patchSize: 16, dim, depth, heads });
  expect([WORKS.G1!.batch, WORKS.G2!.batch]).toEqual([256, 128]);
});

test('G3 has the shapes of P and F, and another batch', () => {
  expect(WORKS.G3P).toEqual({ ...WORKS.P, batch: 1024 });
  expect(WORKS.G3F).toEqual({ ...WORKS.F, batch: 1024 });
});

test('a step of G1 costs what a count by hand says', () => {
  // A block: qkv 3·d², proj d², MLP 8·d² for each token, and twice tokens²·d of attention. 49 of 196 tokens are kept.
  const block = (tokens: number, dim: number) => tokens * 12 * dim ** 2 + 2 * tokens ** 2 * dim;
  const embedding = 196 * 768 * 768;
  const rest = 12 * block(49, 768) + 49 * 768 * 384 + 4 * block(196, 384) + 196 * 384 * 768;
  // Twice as much backward as forward, but images have no gradient.
  expect(flopsPerImage(WORKS.G1!)).toBe(2 * (3 * rest + 2 * embedding));
});

test('a step of G2 costs what a count by hand says', () => {
  const embedding = 196 * 768 * 768;
  const rest = 12 * (196 * 12 * 768 ** 2 + 2 * 196 ** 2 * 768) + 768 * 1000;
  expect(flopsPerImage(WORKS.G2!)).toBe(2 * (3 * rest + 2 * embedding));
});

test('P trains as many values as its peer in PyTorch', () => {
  const values = initialValues(modelOf(WORKS.P!), { for: 'pretraining', masked: true }, 0);
  const trained = [...values].filter(([name]) => !name.endsWith('pos_embed'));
  // Of torch_vit.py --work P --json
  expect(trained.reduce((sum, [, { data }]) => sum + data.length, 0)).toBe(2_924_688);
});

test('an unknown work or precision is refused with the names there are', () => {
  expect(() => workNamed('G9')).toThrow('G3P');
  expect(() => modelOf(WORKS.P!, 'float8')).toThrow(PRECISIONS.join(', '));
});
