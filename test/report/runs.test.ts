import { planOf, resultOf } from '../runner/support.js';
import { runsTable } from '../../src/report/tables/runs.js';
import type { Row } from '../../src/report/table.js';
import { accuracies, collect, collectedFrom, dataOf, pick, resultsMaker } from './support.js';
import { metric } from '../support/entries.js';

const results = resultsMaker();

test('every job is one row with its triple, its cells and every number of its stages', () => {
  const plan = planOf(
    'name: s\njob: {evaluate: [knn]}\ngrid: {objective: [masked]}\ninclude: [{objective: identity, maskRatio: 0.75}]',
  );
  const table = runsTable(dataOf(plan, { accuracy: 61.25, loss: 0.7 }), { metric: metric('knn') });
  expect(table.rows).toEqual([
    {
      sweep: 's',
      objective: 'masked',
      cells: 'masked, seed 0; identity, maskRatio 0.75, seed 0',
      mask_ratio: 0.75,
      misalignment: 'none',
      style: 'preserved',
      seed: 0,
      pretrain_loss: 0.7,
      pretrain_zero_loss: 1,
      pretrain_first_loss: 1,
      pretrain_largest_gradient_norm: 1,
      pretrain_batch_size: 10,
      pretrain_epochs: 20,
      pretrain_steps: 40,
      pretrain_train_images: 20,
      pretrain_corrupt_images: 0,
      pretrain_damaged_images: null,
      pretrain_images_per_second: 100,
      pretrain_seconds: 2,
      pretrain_stage: plan.jobs[0]!.pretrain,
      knn_accuracy: 61.25,
      knn_top5: 90,
      knn_mean_per_class: null,
      knn_k: 20,
      knn_epochs: 20,
      knn_steps: 40,
      knn_train_images: 20,
      knn_test_images: 10,
      knn_corrupt_images: 0,
      knn_damaged_images: null,
      knn_images_per_second: 100,
      knn_seconds: 2,
      knn_stage: plan.jobs[0]!.evaluations.knn,
      unhealthy: '',
      missing: '',
    },
  ]);
  expect(table.columns.map(({ key }) => key)).toEqual(Object.keys(table.rows[0]!));
});

test('every key that varies is a column, and no other', () => {
  const yaml = `
grid: {objective: [masked, masked+zoomed-in, zoomed-in, blurred], pretrain.epochs: [5, 10]}
include: [{objective: scratch}]`;
  const { columns, rows } = runsTable(dataOf(planOf(yaml)), { metric: metric('finetune') });
  expect(columns.flatMap(({ key }) => (key.includes('.') ? [key] : []))).toEqual([
    'pretrain.epochs',
    'degradation.zoomedIn.fraction',
    'degradation.zoomedIn.loss',
  ]);
  expect(pick({ rows: rows.slice(-3) }, 'objective', 'pretrain.epochs')).toEqual([
    ['blurred', '5'],
    ['blurred', '10'],
    ['scratch', null],
  ]);
});

test('a job without all its results says which are missing', () => {
  const folder = results('grid: {objective: [scratch, masked]}', accuracies({ scratch: [40] }));
  expect(
    pick(runsTable(collect([folder]), { metric: metric('finetune') }), 'objective', 'finetune_accuracy', 'missing'),
  ).toEqual([
    ['scratch', 40, ''],
    ['masked', null, 'finetune'],
  ]);
});

test('numbers of training that results of older versions lack are empty, and those that are there stand in their columns', () => {
  const plan = planOf('job: {evaluate: [finetune, linear, knn]}\ngrid: {objective: [masked]}');
  const own = { firstLoss: 1.5, largestGradientNorm: 2.5, batchSize: 7, chanceLoss: 3.5, k: 9 };
  const older = { firstLoss: null, largestGradientNorm: null, batchSize: null, chanceLoss: null, k: null };
  const columnsOf = (values: Record<string, number | null>): Row => {
    const data = collectedFrom(plan, (_job, kind) => {
      const result = resultOf(kind);
      const known = Object.entries(values).filter(([key]) => key in result);
      return { ...result, ...Object.fromEntries(known), corruptImages: ['a.png', 'b.png'], damagedImages: ['c.png'] };
    });
    return runsTable(data, { metric: metric('finetune') }).rows[0]!;
  };
  expect(columnsOf(own)).toMatchObject({
    pretrain_first_loss: 1.5,
    pretrain_largest_gradient_norm: 2.5,
    pretrain_batch_size: 7,
    pretrain_corrupt_images: 2,
    pretrain_damaged_images: 1,
    finetune_first_loss: 1.5,
    finetune_largest_gradient_norm: 2.5,
    finetune_batch_size: 7,
    finetune_chance_loss: 3.5,
    linear_loss: 0.5,
    linear_batch_size: 7,
    linear_chance_loss: 3.5,
    knn_k: 9,
    knn_corrupt_images: 2,
  });
  expect(columnsOf(older)).toMatchObject({ pretrain_first_loss: null, finetune_chance_loss: null, knn_k: null });
});

test('a run has a column for each axis of variants', () => {
  const plan = planOf(
    'variants: {size: {small: {model: {depth: 2}}, large: {model: {depth: 6}}}}\ngrid: {objective: masked}',
  );
  const table = runsTable(dataOf(plan), { metric: metric('finetune') });
  expect(pick(table, 'size', 'model.depth', 'cells')).toEqual([
    ['small', '2', 'masked, seed 0, size small'],
    ['large', '6', 'masked, seed 0, size large'],
  ]);
});
