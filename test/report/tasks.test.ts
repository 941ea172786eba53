/** The tables of single protocols: what a row averages, and what it leaves out. Results by hand. */
import { CORRUPTION_NAMES } from '../../src/data/corruptions/index.js';
import { buildTables } from '../../src/report/report.js';
import type { ReportData } from '../../src/report/collect.js';
import type { Row, Table } from '../../src/report/table.js';
import type { StageResult } from '../../src/store/records.js';
import { planOf, resultOf } from '../runner/support.js';
import { collectedFrom, dataOf, pick } from './support.js';

function tableIn(data: ReportData, name: string): Table {
  return buildTables(data).find((table) => table.name === name)!;
}

const MASKS = 'job: {data: {masks: true}, evaluate: [{name: dense, protocol: segment}]}';

/** Mean IoU and the IoU of each class by seed. */
function segmented(classIou: Record<string, number | null>, meanIou: number): StageResult {
  const result = resultOf('segment');
  if (result.kind !== 'segment') throw new Error('expected a segmentation');
  return { ...result, classIou, meanIou, pixelAccuracy: meanIou + 1 };
}

describe('segmentation', () => {
  const plan = planOf(`${MASKS}\ngrid: {objective: [scratch, masked], seed: [0, 1]}`);

  test('has the mean of each class over the seeds; a class that a run lacks is left out of it', () => {
    const data = collectedFrom(plan, (job, kind) => {
      if (kind !== 'segment') return resultOf(kind);
      const [first, second] = [segmented({ sky: 80, road: 20 }, 50), segmented({ sky: 60, road: null }, 60)];
      return job.seed === 0 ? first : second;
    });
    const { columns, rows } = tableIn(data, 'segmentation');
    expect(columns.map(({ label }) => label)).toEqual(expect.arrayContaining(['sky', 'road']));
    const expected = ['dense', 55, 70, 20, 56, 2];
    const keys = ['evaluation', 'mean_iou', 'iou_sky', 'iou_road', 'pixel_accuracy', 'n'];
    expect(pick({ rows }, ...keys)).toEqual([expected, expected]);
    expect(rows.map(({ objective }) => objective)).toEqual(['scratch', 'masked']);
  });

  test('counts no run that did not train', () => {
    const data = collectedFrom(plan, ({ seed }, kind) => {
      if (kind !== 'segment') return resultOf(kind);
      const result = segmented({ sky: seed === 0 ? 80 : 10 }, 50);
      return result.kind === 'segment' && seed === 1 ? { ...result, loss: 5, chanceLoss: 1 } : result;
    });
    expect(pick(tableIn(data, 'segmentation'), 'iou_sky', 'n', 'unhealthy')).toEqual([
      [80, 1, 1],
      [80, 1, 1],
    ]);
  });

  test('has a row for every combination and mask ratio', () => {
    const axes = 'grid: {objective: [zoomed-in+decolorized, masked], maskRatio: [0.5, 0.75]}';
    const { rows } = tableIn(dataOf(planOf(`${MASKS}\n${axes}`)), 'segmentation');
    expect(pick({ rows }, 'objective', 'setting', 'n')).toEqual([
      ['masked', 'maskRatio=0.5', 1],
      ['masked', 'maskRatio=0.75', 1],
      ['masked+zoomed-in+decolorized', 'maskRatio=0.5', 1],
      ['masked+zoomed-in+decolorized', 'maskRatio=0.75', 1],
    ]);
  });

  test('is not made without a segmentation, and is kept without results', () => {
    expect(tableIn(dataOf(planOf('job: {evaluate: [knn]}')), 'segmentation')).toBeUndefined();
    const missing = tableIn(
      collectedFrom(plan, () => null),
      'segmentation',
    );
    expect(pick(missing, 'mean_iou', 'n', 'planned')).toEqual([
      [null, 0, 2],
      [null, 0, 2],
    ]);
  });
});

describe('robustness', () => {
  const EVALUATE = 'evaluate: [finetune, {name: tuned, protocol: finetune, corruptions: true}, robustness]';

  test('has a row for each model that is measured: a linear probe, and fine-tuned weights', () => {
    const data = collectedFrom(planOf(`job: {${EVALUATE}}\ngrid: {objective: [scratch]}`), (_job, kind) => {
      const result = resultOf(kind);
      if (result.kind !== 'finetune') return result;
      const corruptionErrors = Object.fromEntries(CORRUPTION_NAMES.map((name, i) => [name, 10 + i]));
      return { ...result, accuracy: 70, meanError: 30, corruptionErrors };
    });
    const { rows } = tableIn(data, 'robustness');
    const keys = ['evaluation', 'model', 'mean_error', 'clean_error', 'gaussian_noise', 'grey'];
    expect(pick({ rows }, ...keys)).toEqual<Row[string][][]>([
      ['tuned', 'fine-tuned weights', 30, 30, 10, 25],
      ['robustness', 'linear probe', 60, 50, 60, 60],
    ]);
  });

  test('has a row for every combination and mask ratio, each beside scratch', () => {
    const yaml =
      'job: {evaluate: [robustness]}\ngrid: {objective: [scratch, masked+distorted]}\n' +
      'include: [{objective: masked, maskRatio: 0.5}]';
    const data = collectedFrom(planOf(yaml), ({ task }, kind) => {
      const result = resultOf(kind);
      if (result.kind !== 'robustness') return result;
      const error = task === null ? 80 : 100 * task.maskRatio;
      const errors = Object.fromEntries(CORRUPTION_NAMES.map((name) => [`error_${name}`, error]));
      return { ...result, ...errors, meanError: error };
    });
    expect(pick(tableIn(data, 'robustness'), 'objective', 'setting', 'mean_error', 'relative_error')).toEqual([
      ['scratch', '', 80, 100],
      ['masked', 'maskRatio=0.5', 50, 62.5],
      ['masked+distorted', 'maskRatio=0.75', 75, 93.75],
    ]);
  });

  test('is not made of fine-tuning that does not measure it', () => {
    expect(tableIn(dataOf(planOf('job: {evaluate: [finetune]}')), 'robustness')).toBeUndefined();
  });
});
