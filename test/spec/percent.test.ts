import { entriesOf } from '../../src/spec/entries.js';
import { complaints, plan, read } from './support/sweeps.js';

const stages = (text: string) => plan(text).stages;

describe('a percentage', () => {
  test('in an evaluation is a share of the epochs of that evaluation', () => {
    const { cells } = read(
      'job: {finetune: {epochs: 100}, evaluate: [{name: short, protocol: finetune, epochs: 40, warmupEpochs: 5%}]}',
    );
    expect(entriesOf(cells[0]!.job)[0]!.recipe).toMatchObject({ epochs: 40, warmupEpochs: 2 });
  });

  test('of warm-up is a share of the epochs of its recipe, and the same stage as the number', () => {
    const recipe = (warmup: string) =>
      `job: {pretrain: {epochs: 50, warmupEpochs: ${warmup}}, linear: {warmupEpochs: ${warmup}}, evaluate: [linear]}`;
    expect(stages(recipe('5%'))).toEqual(
      stages('job: {pretrain: {epochs: 50, warmupEpochs: 2.5}, linear: {warmupEpochs: 4.5}, evaluate: [linear]}'),
    );
  });

  test('of warm-up follows an axis of epochs, and the default', () => {
    const { cells } = read('job: {pretrain: {warmupEpochs: 10%}}\ngrid: {pretrain.epochs: [null, 10, 300]}');
    expect(cells.map(({ job }) => job.pretrain.warmupEpochs)).toEqual([2, 1, 30]);
  });

  test('of a recipe within a recipe is a share of its own epochs, or of those around it', () => {
    const scratch = (finetune: string) =>
      read(`job: {objective: scratch, finetune: ${finetune}}`).cells[0]!.job.finetune.scratch?.warmupEpochs;
    expect(scratch('{epochs: 50, scratch: {warmupEpochs: 10%}}')).toBe(5);
    expect(scratch('{epochs: 50, scratch: {epochs: 300, warmupEpochs: 10%}}')).toBe(30);
    expect(scratch('{epochs: 50, warmupEpochs: 10%, scratch: {epochs: 300}}')).toBe(30);
    expect(scratch('{epochs: 50, warmupEpochs: 10%, scratch: {epochs: 300, warmupEpochs: 3}}')).toBe(3);
    expect(scratch('{epochs: 50, warmupEpochs: 5, scratch: {epochs: 300}}')).toBeUndefined();
  });

  test('of an evaluation of its own is a share of its epochs, or of those of its protocol', () => {
    const warmup = (entry: string) =>
      plan(
        `job: {finetune: {epochs: 50, warmupEpochs: 10%}, evaluate: [{name: a, protocol: finetune, ${entry}}]}`,
      ).stages.map(({ config }) => (config.kind === 'finetune' ? config.recipe.warmupEpochs : undefined))[1];
    expect(warmup('mixup: 0')).toBe(5);
    expect(warmup('epochs: 80')).toBe(8);
    expect(warmup('warmupEpochs: 20%')).toBe(10);
    expect(warmup('epochs: 80, warmupEpochs: 20%')).toBe(16);
  });

  test('of training from scratch follows the epochs of an evaluation, as the recipe around it does', () => {
    const scratch = (finetune: string, entry: string) => {
      const own = `{name: a, protocol: finetune, ${entry}}`;
      const { stages: all } = plan(`job: {objective: scratch, finetune: ${finetune}, evaluate: [${own}]}`);
      return all.map(({ config }) => (config.kind === 'finetune' ? config.recipe.warmupEpochs : undefined))[0];
    };
    expect(scratch('{epochs: 50, scratch: {warmupEpochs: 10%}}', 'epochs: 80')).toBe(8);
    expect(scratch('{epochs: 50, warmupEpochs: 10%, scratch: {epochs: 300}}', 'epochs: 80')).toBe(30);
    expect(scratch('{epochs: 50, warmupEpochs: 10%, scratch: {epochs: 300}}', 'warmupEpochs: 20%')).toBe(60);
    expect(scratch('{epochs: 50, warmupEpochs: 10%, scratch: {epochs: 300}}', 'warmupEpochs: 4')).toBe(4);
    expect(scratch('{epochs: 50, warmupEpochs: 10%, scratch: {warmupEpochs: 3}}', 'epochs: 80')).toBe(3);
  });

  test('can be an axis, whose cells are named as it is written', () => {
    const { cells } = read('grid: {pretrain.warmupEpochs: [5%, 2.5]}');
    expect(cells.map(({ cell }) => cell.overrides)).toEqual([
      { 'pretrain.warmupEpochs': '5%' },
      { 'pretrain.warmupEpochs': 2.5 },
    ]);
    expect(cells.map(({ job }) => job.pretrain.warmupEpochs)).toEqual([1, 2.5]);
  });

  test('of a fraction is the fraction, in every section and in --set', () => {
    const text = (ratio: string, labels: string) =>
      `job: {data: {labelFraction: ${labels}}}\ngrid: {maskRatio: [${ratio}, 0.5]}\ninclude: [{maskRatio: ${ratio}, seed: 3}]\n` +
      `exclude: [{maskRatio: 50%}]`;
    expect(plan(text('75%', '0.7%'))).toEqual(plan(text('0.75', '0.007')));
    expect(read('job:', ['job.maskRatio=90%']).cells[0]!.cell.maskRatio).toBe(0.9);
  });

  test('is from 0 to 100', () => {
    expect(complaints('job: {pretrain: {warmupEpochs: 150%}, maskRatio: 100%}')).toEqual([
      '1:32 job.pretrain.warmupEpochs: expected a number of at least 0 or a percentage such as 5%, got "150%"',
      '1:50 job.maskRatio: expected a number of at least 0 and below 1 or a percentage such as 5%, got "100%"',
    ]);
  });

  test('of all epochs leaves none to train', () => {
    expect(complaints('job: {pretrain: {warmupEpochs: 100%}}')).toEqual([
      '1:32 pretrain.warmupEpochs (20) must be below pretrain.epochs (20); lower the warm-up, for instance to 2',
    ]);
  });

  test('is no value of other keys', () => {
    expect(complaints('job: {pretrain: {epochs: 5%}}')).toEqual([
      '1:26 job.pretrain.epochs: expected a whole number of at least 1, got "5%"',
    ]);
  });
});
