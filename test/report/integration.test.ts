import { integrationTable } from '../../src/report/tables/integration.js';
import { collect, pick, resultsMaker } from './support.js';
import { metric } from '../support/entries.js';

const results = resultsMaker();
const SPEC = 'grid: {objective: [zoomed-in, masked, masked+zoomed-in, blurred], seed: [0, 1, 2]}';

const ACCURACY: Record<string, readonly (number | null)[]> = {
  'zoomed-in': [40, 42, 50],
  masked: [41, 44, null],
  'masked+zoomed-in': [42, 48, 60],
  blurred: [1, 1, 1],
};
const SPEED: Record<string, number> = { 'zoomed-in': 100, masked: 300, 'masked+zoomed-in': 280, blurred: 1 };

const table = integrationTable(
  collect([
    results(SPEC, (objective, seed, { kind }) => {
      if (kind === 'pretrain') return { imagesPerSecond: SPEED[objective]! + 10 * seed };
      const accuracy = ACCURACY[objective]![seed];
      return accuracy == null ? null : { accuracy };
    }),
  ]),
  { metric: metric('finetune') },
);

test('differences to masked are paired by seed, over the seeds that both have', () => {
  expect(pick(table, 'objective', 'mean', 'n', 'difference_to_masked', 'difference_std', 'difference_n')).toEqual([
    // 40 − 41 and 42 − 44; the third seed has no pair.
    ['zoomed-in', 44, 3, -1.5, Math.sqrt(0.5), 2],
    ['masked', 42.5, 2, null, null, null],
    ['masked+zoomed-in', 50, 3, 2.5, Math.sqrt(4.5), 2],
  ]);
});

test("the paper's numbers and differences stand beside ours", () => {
  expect(pick(table, 'paper_accuracy', 'paper_difference')).toEqual([
    [82.7, -0.2],
    [82.9, null],
    [83.2, 0.3],
  ]);
});

test('the cost is the speed of pre-training', () => {
  expect(pick(table, 'pretrain_images_per_second')).toEqual([[110], [310], [290]]);
});

test('pairs are of one seed, in any order of the seeds in the plan', () => {
  const yaml = `
grid: {objective: [masked], seed: [0, 1, 2]}
include: [{objective: masked+zoomed-in, seed: [2, 0, 1]}]`;
  const own: Record<string, number[]> = { masked: [10, 20, 40], 'masked+zoomed-in': [11, 22, 43] };
  const folder = results(yaml, (objective, seed, { kind }) =>
    kind === 'pretrain' ? {} : { accuracy: own[objective]![seed]! },
  );
  const { rows } = integrationTable(collect([folder]), { metric: metric('finetune') });
  // 1, 2 and 3: a standard deviation of 1. By position they would be 33, −9 and −18.
  expect(pick({ rows }, 'difference_to_masked', 'difference_std', 'difference_n')[2]).toEqual([2, 1, 3]);
});
