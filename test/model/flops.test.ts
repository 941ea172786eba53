import { encoderFlops, pretrainingFlops } from '../../src/model/flops.js';
import type { ModelConfig } from '../../src/spec/model.js';
import { planOf } from '../runner/support.js';

function modelOf(yaml: string): ModelConfig {
  const { stages } = planOf(`job: {${yaml}}\ngrid: {objective: [masked]}`);
  const { config } = stages.find((stage) => stage.config.kind === 'pretrain')!;
  if (config.kind !== 'pretrain') throw new Error('no pre-training');
  return config.model;
}

test('ViT-B/16 takes the 17.56 billion multiply-adds that torchvision states for vit_b_16', () => {
  const model = modelOf('data: {name: shapes, imageSize: 224}, model: {preset: vit-b, classToken: true}');
  // With its head of 1,000 classes.
  expect((encoderFlops(model) / 2 + 768 * 1000) / 1e9).toBeCloseTo(17.56, 2);
});

test('a small pre-training is what counting by hand gives', () => {
  const model: ModelConfig = {
    ...modelOf('data: {name: shapes, imageSize: 32}'),
    imageSize: 4,
    patchSize: 2,
    dim: 4,
    depth: 1,
    heads: 1,
    mlpRatio: 2,
    classToken: false,
    decoder: { dim: 2, depth: 1, heads: 1 },
  };
  // 4 patches of 12 numbers; 2 tokens are kept. Multiply-adds:
  const embed = 4 * 12 * 4;
  const encoder = 2 * 4 * 12 + 2 * (2 * 2 * 4) + 2 * 4 * 4 + 2 * (2 * 4 * 8);
  const decoder = 2 * 4 * 2 + 4 * 2 * 6 + 2 * (4 * 4 * 2) + 4 * 2 * 2 + 2 * (4 * 2 * 4) + 4 * 2 * 12;
  expect(pretrainingFlops(model, 0.5)).toBe(2 * (embed + encoder + decoder));
});

test('without a mask the encoder takes at least four times what a quarter of the tokens does', () => {
  const model = modelOf('data: {name: shapes, imageSize: 224}, model: {preset: vit-b}');
  const light = { ...model, decoder: { ...model.decoder, depth: 0 } };
  expect(pretrainingFlops(light, 0) / pretrainingFlops(light, 0.75)).toBeGreaterThan(3.9);
});
