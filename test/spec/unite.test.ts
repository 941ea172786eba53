import { unitePlans } from '../../src/spec/unite.js';
import { planOf } from '../runner/support.js';

const MASKED = 'grid: {objective: [masked], seed: [0]}';

test('plans with other seeds have the jobs and stages of both, in their order', () => {
  const [first, second] = [planOf(MASKED), planOf(MASKED.replace('[0]', '[1]'))];
  const union = unitePlans([first, second]);
  expect(union.jobs.map(({ seed }) => seed)).toEqual([0, 1]);
  expect(union.stages).toEqual([...first.stages, ...second.stages]);
});

test('what plans share is in their union once, with the cells of both', () => {
  const union = unitePlans([
    planOf('grid: {objective: [scratch, masked]}'),
    planOf('grid: {objective: [scratch, identity], maskRatio: [0.75]}'),
  ]);
  expect(union.jobs).toHaveLength(2);
  expect(union.jobs[1]!.cells.map(({ objective }) => objective)).toEqual(['masked', 'identity']);
  expect(union.stages).toHaveLength(3);
});

test('a run that another plan evaluates further is one job, with all its stages', () => {
  const [few, many] = ['[knn]', '[finetune, knn]'].map((names) => planOf(`job: {evaluate: ${names}}\n${MASKED}`));
  for (const plans of [
    [few!, many!],
    [many!, few!],
  ]) {
    const { jobs } = unitePlans(plans);
    expect(jobs.map(({ evaluations }) => Object.keys(evaluations).sort())).toEqual([['finetune', 'knn']]);
  }
});

test('the metric of an evaluation is that of the last plan that has the evaluation', () => {
  const withMetric = (entries: string) => planOf(`job: {evaluate: [${entries}]}\n${MASKED}`);
  const [top5, mean] = ['{protocol: knn, metric: top5}', '{protocol: knn, metric: meanPerClass}'].map(withMetric);
  const [none, other] = [withMetric('knn'), withMetric('linear')];
  expect(unitePlans([top5!, mean!]).metrics).toEqual({ knn: 'meanPerClass' });
  expect(unitePlans([top5!, other]).metrics).toEqual({ knn: 'top5' });
  expect(unitePlans([top5!, none])).not.toHaveProperty('metrics');
  expect(unitePlans([none, mean!]).metrics).toEqual({ knn: 'meanPerClass' });
});

test('runs with different settings are jobs of their own', () => {
  const plans = ['5', '6'].map((epochs) => planOf(`job: {pretrain: {epochs: ${epochs}}}\n${MASKED}`));
  expect(unitePlans(plans).jobs).toHaveLength(2);
  expect(unitePlans(plans).stages).toHaveLength(4);
});

test('cells that contradict themselves in both plans are left out once', () => {
  const spec = 'grid: {objective: [masked], maskRatio: [0, 0.5]}';
  expect(unitePlans([planOf(spec), planOf(`${spec.slice(0, -1)}, seed: [1]}`)]).leftOut).toHaveLength(2);
  expect(unitePlans([planOf(spec), planOf(spec)]).leftOut).toHaveLength(1);
});
