import { describeStage } from '../../src/spec/describe.js';
import { planOf } from '../runner/support.js';

const namesOf = (yaml: string): string[] => {
  const plan = planOf(yaml);
  return plan.stages.map((stage) => describeStage(plan, stage));
};

test('the name of a stage is only its kind and objective if nothing else varies', () => {
  expect(namesOf('grid: {objective: [scratch, masked+zoomed-in]}')).toEqual([
    'finetune scratch',
    'pretrain masked+zoomed-in',
    'finetune masked+zoomed-in',
  ]);
});

test('axes that vary are shown, the seed last', () => {
  expect(namesOf('grid: {seed: [0, 1], pretrain.epochs: [50], objective: [masked], maskRatio: [0.5, 0.75]}')).toEqual(
    [0.5, 0.75].flatMap((ratio) =>
      [0, 1].flatMap((seed) => [
        `pretrain masked maskRatio=${ratio} seed ${seed}`,
        `finetune masked maskRatio=${ratio} seed ${seed}`,
      ]),
    ),
  );
});

test('axes that a stage does not depend on are not shown for it', () => {
  expect(namesOf('grid: {objective: [masked], finetune.epochs: [5, 10]}')).toEqual([
    'pretrain masked',
    'finetune masked finetune.epochs=5',
    'finetune masked finetune.epochs=10',
  ]);
  expect(namesOf('grid: {objective: [scratch], maskRatio: [0, 0.5]}')).toEqual(['finetune scratch']);
});

test('the shortest name stands for all cells that share the stage', () => {
  const yaml = `
grid: {objective: [masked+zoomed-in]}
include: [{objective: [zoomed-in], maskRatio: [0.75]}, {objective: [identity], maskRatio: [0.75], misalignment: [zoomed-in]}]`;
  expect(namesOf(yaml)[0]).toBe('pretrain masked+zoomed-in (+2 more)');
});

test('a value that is not text is shown as JSON', () => {
  expect(namesOf('grid: {objective: [masked], pretrain.cropScale: [[0.2, 1], [0.5, 1]]}')[0]).toBe(
    'pretrain masked pretrain.cropScale=[0.2,1]',
  );
});
