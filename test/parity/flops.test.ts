/** FLOPs against PyTorch's counter and a count by hand. flops.py writes the fixture. */
import { flopsPerImage, modelOf, WORKS } from '../../bench/works.js';
import { finetuneCost, pretrainCost } from '../../src/spec/flops.js';
import { resolveModel } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';
import { readFixture } from './fixture.js';

const fixture = readFixture('flops') as Record<string, { forward: number; training: number }>;

test.each(Object.entries(WORKS))('a step of work %s costs what PyTorch counts for its peer', (name, work) => {
  const model = modelOf(work);
  const cost = work.task === 'pretraining' ? pretrainCost(model, work) : finetuneCost(model, work.classes);
  expect(cost).toEqual(fixture[name]);
  expect(flopsPerImage(work)).toBe(cost.training);
});

test('a small model counted by hand', () => {
  // 4 tokens of 2 × 2 pixels, width 2, one block, MLP 4 × 2; decoder of width 2, one block; half of the tokens visible.
  const small = resolveModel(
    modelSchema.parse({ patchSize: 2, dim: 4, depth: 1, heads: 1, decoder: { dim: 4, depth: 1, heads: 1 } }),
    4,
  );
  const block = (tokens: number) =>
    2 * tokens * (4 * 12 + 4 * 4 + 2 * 4 * 16) + // qkv, proj, two layers of the MLP
    2 * 2 * tokens * tokens * 4; // scores, and the weighted sum of the values
  const embedding = 2 * 4 * 12 * 4;
  const forward = embedding + block(2) + 2 * 2 * 4 * 4 + block(4) + 2 * 4 * 4 * 12;
  expect(pretrainCost(small, { maskRatio: 0.5 })).toEqual({ forward, training: 3 * forward - embedding });
});

test('the costs in the paper: masked zoomed-in costs as much as masked, and unmasked four times the encoder', () => {
  const vitB = resolveModel(modelSchema.parse({ preset: 'vit-b' }), 224);
  const masked = pretrainCost(vitB, { maskRatio: 0.75 });
  const unmasked = pretrainCost(vitB, { maskRatio: 0 });
  // The blocks of the encoder only, without the quadratic part of attention, cost four times as much.
  expect(unmasked.forward / masked.forward).toBeGreaterThan(2);
  expect(unmasked.forward / masked.forward).toBeLessThan(4.1);
});

test('ViT-B/16 costs the 17.56 billion multiply-adds that torchvision publishes', () => {
  const vitB = resolveModel(modelSchema.parse({ preset: 'vit-b', classToken: true }), 224);
  expect(finetuneCost(vitB, 1000).forward / 2 / 1e9).toBeCloseTo(17.56, 1);
});
