import { planOf } from '../runner/support.js';
import { runsTable } from '../../src/report/tables/runs.js';
import { accuracies, collect, dataOf, pick, resultsMaker } from './support.js';

const results = resultsMaker();

test('every job is one row with its triple, its cells and every number of its stages', () => {
  const plan = planOf(
    'name: s\njob: {evaluate: [knn]}\ngrid: {objective: [masked]}\ninclude: [{objective: identity, maskRatio: 0.75}]',
  );
  const table = runsTable(dataOf(plan, { accuracy: 61.25, loss: 0.7 }), { metric: 'knn' });
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
      pretrain_epochs: 20,
      pretrain_steps: 40,
      pretrain_train_images: 20,
      pretrain_corrupt_images: 0,
      pretrain_images_per_second: 100,
      pretrain_seconds: 2,
      pretrain_stage: plan.jobs[0]!.pretrain,
      knn_accuracy: 61.25,
      knn_top5: 90,
      knn_epochs: 20,
      knn_steps: 40,
      knn_train_images: 20,
      knn_test_images: 10,
      knn_corrupt_images: 0,
      knn_images_per_second: 100,
      knn_seconds: 2,
      knn_stage: plan.jobs[0]!.evaluations.knn,
      missing: '',
    },
  ]);
  expect(table.columns.map(({ key }) => key)).toEqual(Object.keys(table.rows[0]!));
});

test('every key that varies is a column, and no other', () => {
  const yaml = `
grid: {objective: [masked, masked+zoomed-in, zoomed-in, blurred], pretrain.epochs: [5, 10]}
include: [{objective: scratch}]`;
  const { columns, rows } = runsTable(dataOf(planOf(yaml)), { metric: 'finetune' });
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
    pick(runsTable(collect([folder]), { metric: 'finetune' }), 'objective', 'finetune_accuracy', 'missing'),
  ).toEqual([
    ['scratch', 40, ''],
    ['masked', null, 'finetune'],
  ]);
});
