import { adamWRates } from '../../src/ops/index.js';

it('returns the values that change from step to step: the rate, the corrections of both moments and the scale of gradients', () => {
  const options = { learningRate: 0.25, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 2, gradientScale: 0.5 };
  const rates = adamWRates(options);
  const [rate, first, second, scale] = rates.dataSync();
  rates.dispose();
  expect([rate, scale]).toEqual([0.25, 0.5]);
  expect(first).toBeCloseTo(5.263158, 5); // 1 / (1 − .81)
  expect(second).toBeCloseTo(22.366272, 4); // 1 / √(1 − .998001)
});
