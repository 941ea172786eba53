/** Whether the training behind a result worked. */
import { healthProblem } from '../../src/store/health.js';
import type { StageResult } from '../../src/store/records.js';
import { resultOf } from '../runner/support.js';

const pretrain = (loss: number, zeroLoss: number): StageResult => {
  const result = resultOf('pretrain', { loss });
  return result.kind === 'pretrain' ? { ...result, zeroLoss } : result;
};

it('is healthy if the loss ended below the loss of a prediction that uses no image', () => {
  expect(healthProblem(pretrain(0.93, 0.936))).toBeNull();
  expect(healthProblem(resultOf('finetune', { loss: 2.29 }))).toBeNull();
  expect(healthProblem(resultOf('linear', { loss: 2.29 }))).toBeNull();
  expect(healthProblem(resultOf('knn'))).toBeNull();
});

it('is unhealthy if it ended no better, with both numbers', () => {
  expect(healthProblem(pretrain(0.936, 0.936))).toBe(
    'its loss ended at 0.9360, no better than a prediction of zero (0.9360)',
  );
  // ln 10 is 2.3026.
  for (const kind of ['finetune', 'linear'] as const) {
    expect(healthProblem(resultOf(kind, { loss: 2.31 }))).toBe(
      'its loss ended at 2.310, no better than equal odds (2.303)',
    );
  }
});

it('is not known of results of engine revision 1, which have no level of equal odds', () => {
  const result = resultOf('finetune', { loss: 99 });
  expect(healthProblem({ ...result, chanceLoss: null } as StageResult)).toBeNull();
});
