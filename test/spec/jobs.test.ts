import { entriesOf } from '../../src/spec/entries.js';
import { evaluationConfig, pretrainConfig } from '../../src/spec/jobs.js';
import { resolveJob } from '../../src/spec/resolve-job.js';
import { jobSchema } from '../../src/spec/schema.js';
import type { Evaluation } from '../../src/stages/index.js';
import type { StageConfig } from '../../src/spec/stages.js';
import { complaints } from './support/sweeps.js';

const conflictsOf = (input: object): string[] => {
  const resolved = resolveJob(jobSchema.parse(input));
  return resolved.kind === 'impossible' ? resolved.conflicts.map(({ message }) => message) : [];
};

function configOf(kind: 'pretrain' | Evaluation, input: object): StageConfig {
  const job = jobSchema.parse(input);
  const resolved = resolveJob(job);
  if (resolved.kind !== 'job') throw new Error(resolved.kind);
  if (kind !== 'pretrain') return evaluationConfig(entriesOf({ ...job, evaluate: [kind] })[0]!, job, resolved.model);
  if (resolved.task === null) throw new Error('scratch');
  return pretrainConfig(job, resolved.model, resolved.task);
}

describe('numbers that cannot go together', () => {
  test.each([
    [
      { pretrain: { epochs: 2 } },
      'pretrain.warmupEpochs (2) must be below pretrain.epochs (2); lower the warm-up, for instance to 0.2',
    ],
    [
      { finetune: { epochs: 1 } },
      'finetune.warmupEpochs (2) must be below finetune.epochs (1); lower the warm-up, for instance to 0.1',
    ],
    [
      { evaluate: ['linear'], linear: { warmupEpochs: 90 } },
      'linear.warmupEpochs (90) must be below linear.epochs (90); lower the warm-up, for instance to 9',
    ],
    [
      { objective: 'scratch', finetune: { scratch: { epochs: 1 } } },
      'finetune.warmupEpochs (2) must be below finetune.scratch.epochs (1); lower the warm-up, for instance to 0.1',
    ],
    [
      { finetune: { imageSize: 42 } },
      'patches of 4 px do not tile the images of finetune.imageSize (42 px); choose a multiple of 4',
    ],
    [{ pretrain: { accumulate: 3 } }, 'pretrain.accumulate (3) must divide pretrain.batchSize (128)'],
    [
      { model: { patchSize: 5 } },
      'patches of 5 px do not tile images of 32 px: choose model.patchSize among the divisors of data.imageSize',
    ],
    [{ model: { heads: 5 } }, 'model.heads (5) does not divide model.dim (96)'],
    [
      { maskRatio: 0.5, model: { patchSize: 32 } },
      'maskRatio 0.5 removes none of the 1 tokens of an image; raise it, or use smaller patches',
    ],
    [
      { objective: 'blurred', degradation: { blurred: { kernelSize: 33 } } },
      'a blur kernel of 33 px is larger than images of 32 px; lower degradation.blurred.kernelSize',
    ],
    [
      { objective: 'zoomed-in', degradation: { zoomedIn: { fraction: 0.99 } } },
      'degradation.zoomedIn.fraction 0.99 gives no zoom in images of 32 px; move it away from 0 and 1',
    ],
    [
      { objective: 'masked+zoomed-in', degradation: { zoomedIn: { fraction: 0.99 } } },
      'degradation.zoomedIn.fraction 0.99 gives no zoom in images of 32 px; move it away from 0 and 1',
    ],
    [
      { objective: 'zoomed-out', degradation: { zoomedOut: { fraction: 0.01 } } },
      'degradation.zoomedOut.fraction 0.01 gives no zoom in images of 32 px; move it away from 0 and 1',
    ],
    [
      { objective: 'masked+zoomed-in', degradation: { zoomedIn: { centreWeight: 0, borderWeight: 0 } } },
      'degradation.zoomedIn.centreWeight and borderWeight are both 0, which leaves no loss; raise one',
    ],
  ])('%j', (input, message) => {
    expect(conflictsOf(input)).toEqual([message]);
  });

  test('are no matter in stages that the job does not have', () => {
    expect(conflictsOf({ objective: 'scratch', pretrain: { epochs: 1 } })).toEqual([]);
    expect(conflictsOf({ evaluate: ['knn'], finetune: { epochs: 1 }, linear: { epochs: 1 } })).toEqual([]);
    expect(conflictsOf({ objective: 'masked', degradation: { blurred: { kernelSize: 99 } } })).toEqual([]);
  });

  test('lists of values to choose from need validation images, wherever they are written', () => {
    expect(conflictsOf({ evaluate: ['linear'], linear: { baseLearningRate: [0.1, 1] } })).toEqual([
      'linear.baseLearningRate lists several values, of which the best on validation images counts; set data.validation, or give one value',
    ]);
    const own = { evaluate: [{ protocol: 'knn', k: [10, 20] }] };
    expect(conflictsOf(own)[0]).toContain('evaluate[0].k lists several values');
    expect(conflictsOf({ ...own, data: { validation: 0.1 } })).toEqual([]);
    expect(conflictsOf({ evaluate: ['linear'], knn: { k: [10, 20] }, linear: { baseLearningRate: [0.1] } })).toEqual(
      [],
    );
  });

  test('are all reported at once', () => {
    expect(conflictsOf({ model: { heads: 5 }, pretrain: { epochs: 1 }, finetune: { accumulate: 7 } })).toHaveLength(3);
  });

  test('do not hide that the axes contradict each other', () => {
    const job = jobSchema.parse({ objective: 'masked', maskRatio: 0, model: { patchSize: 5 } });
    expect(resolveJob(job).kind).toBe('contradiction');
  });
});

describe('an impossible cell', () => {
  test('is named, and its axis’s value pointed at', () => {
    expect(complaints('grid:\n  model.patchSize: [4, 5]\n  seed: 0\n')).toEqual([
      '2:24 patches of 5 px do not tile images of 32 px: choose model.patchSize among the divisors of data.imageSize ' +
        '(in the cell masked, seed 0, model.patchSize 5)',
    ]);
  });

  test('stands for all that share its problem', () => {
    const [first, ...others] = complaints('grid: {model.patchSize: [4, 5], seed: [0, 1, 2]}');
    expect(first).toMatch(/\(in 3 cells, such as masked, seed 0, model\.patchSize 5\)$/);
    expect(others).toEqual([]);
  });

  test('is not named when all cells are impossible, and the key of job is pointed at', () => {
    expect(complaints('job:\n  pretrain: {warmupEpochs: 30}\ngrid: {seed: [0, 1]}\n')).toEqual([
      '2:28 pretrain.warmupEpochs (30) must be below pretrain.epochs (20); lower the warm-up, for instance to 2',
    ]);
  });

  test('is blamed on the --set that made it so', () => {
    expect(complaints('grid: {seed: [0, 1]}', ['job.pretrain.epochs=1'])).toEqual([
      '--set job.pretrain.epochs=1: pretrain.warmupEpochs (2) must be below pretrain.epochs (1); lower the warm-up, ' +
        'for instance to 0.1',
    ]);
  });
});

describe('stage configurations', () => {
  test('pre-training has everything but labels; its target is in the task', () => {
    const config = configOf('pretrain', { seed: 3, data: { labelFraction: 0.1 }, pretrain: { target: 'patch' } });
    expect(config.data).not.toHaveProperty('labelFraction');
    expect(config).toMatchObject({ kind: 'pretrain', seed: 3, task: { target: 'patch', maskRatio: 0.75 } });
    expect(config).toHaveProperty('model.decoder', { dim: 64, depth: 1, heads: 2 });
    expect('recipe' in config && config.recipe).not.toHaveProperty('target');
  });

  test('evaluations have labels and no decoder', () => {
    for (const kind of ['finetune', 'linear', 'knn'] as const) {
      const config = configOf(kind, { data: { labelFraction: 0.1 } });
      expect(config).toMatchObject({ kind, data: { labelFraction: 0.1 }, model: { dim: 96 } });
      expect(config.model).not.toHaveProperty('decoder');
    }
  });

  test('fine-tuning decays by layer as pre-training wants, or as scratch does', () => {
    const finetune = { layerDecay: 0.6, scratchLayerDecay: 0.9 };
    expect(configOf('finetune', { finetune })).toHaveProperty('recipe.layerDecay', 0.6);
    const scratch = configOf('finetune', { objective: 'scratch', finetune });
    expect(scratch).toHaveProperty('recipe.layerDecay', 0.9);
    expect('recipe' in scratch && scratch.recipe).not.toHaveProperty('scratchLayerDecay');
  });

  test('fine-tuning has the values of scratch only if there is no pre-training', () => {
    const finetune = { epochs: 9, scratchLayerDecay: 0.9, scratch: { epochs: 30, layerDecay: 0.8, ema: 0.99 } };
    expect(configOf('finetune', { finetune }).recipe).toMatchObject({ epochs: 9, layerDecay: 0.75 });
    const { recipe } = configOf('finetune', { objective: 'scratch', finetune });
    expect(recipe).toMatchObject({ epochs: 30, layerDecay: 0.8, ema: 0.99, mixup: 0.8 });
    for (const config of [configOf('finetune', { finetune }).recipe, recipe])
      expect(config).not.toHaveProperty('scratch');
  });

  test('fine-tuning at another size has the model of that size, and pre-training does not', () => {
    const input = { finetune: { imageSize: 48 } };
    expect(configOf('finetune', input)).toMatchObject({ model: { imageSize: 48 }, data: { imageSize: 32 } });
    expect(configOf('pretrain', input)).toMatchObject({ model: { imageSize: 32 } });
  });
});
