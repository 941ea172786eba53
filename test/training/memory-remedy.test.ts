/** When a stage runs out of memory, its message names a number of parts; the batch size stays that of the spec. */
import { TrainingError } from '../../src/common/errors.js';
import type { StageConfig } from '../../src/spec/stages.js';
import { withMemoryRemedy } from '../../src/training/memory-remedy.js';

const stage = (kind: StageConfig['kind'], batchSize: number, accumulate: number): StageConfig =>
  ({ kind, recipe: { batchSize, accumulate } }) as unknown as StageConfig;
const full = new TrainingError('no room', 'out-of-memory');

it.each([
  [256, 1, 'pretrain.accumulate: 2, which takes 128 images at once instead of 256'],
  [256, 4, 'pretrain.accumulate: 8, which takes 32 images at once instead of 64'],
  [9, 1, 'pretrain.accumulate: 3, which takes 3 images at once instead of 9'],
])('a batch of %i in %i parts', (batchSize, accumulate, remedy) => {
  const told = withMemoryRemedy(full, stage('pretrain', batchSize, accumulate));
  expect(told).toMatchObject({ message: `no room; try ${remedy}`, failure: 'out-of-memory' });
});

it('splits a batch into single images if no other number divides it', () => {
  const told = withMemoryRemedy(full, stage('finetune', 7, 1));
  expect((told as Error).message).toContain('try finetune.accumulate: 7, which takes');
});

it('has no remedy for single images, for probes, and for other failures', () => {
  expect(withMemoryRemedy(full, stage('finetune', 8, 8))).toBe(full);
  const probe = { kind: 'knn', recipe: { k: 20, temperature: 0.07 } } as unknown as StageConfig;
  expect(withMemoryRemedy(full, probe)).toBe(full);
  const diverged = new TrainingError('NaN', 'diverged');
  expect(withMemoryRemedy(diverged, stage('pretrain', 8, 1))).toBe(diverged);
  const foreign = new Error('no such file');
  expect(withMemoryRemedy(foreign, stage('pretrain', 8, 1))).toBe(foreign);
});
