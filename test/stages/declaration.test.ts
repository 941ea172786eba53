/** What the declaration of an evaluation must contain. The compiler checks it: the lines below an expected error have one. */
import { z } from 'zod';
import { defineEvaluation } from '../../src/stages/evaluation.js';
import { ACCURACY } from '../../src/stages/fields.js';
import { STAGE_ENTRIES } from '../../src/stages/index.js';

const facts = {
  name: 'invented',
  title: 'invented',
  needs: 'class',
  recipe: z.strictObject({}),
  metrics: ACCURACY,
  numbers: {},
  run: () => Promise.reject(new Error('it only declares')),
} as const;
const flops = () => 0;
const checkpoint = () => ({ shapes: new Map([['w', [2]]]), groups: 2 });

it('a declaration does not compile without its FLOPs, or with all weights and no checkpoint', () => {
  const complete = [
    defineEvaluation({ ...facts, flops, trains: 'nothing' }),
    defineEvaluation({ ...facts, flops, trains: 'all weights', checkpoint, exports: false }),
  ];
  const incomplete = [
    // @ts-expect-error: the FLOPs are missing
    defineEvaluation({ ...facts, trains: 'a head' }),
    // @ts-expect-error: the checkpoint is missing
    defineEvaluation({ ...facts, flops, trains: 'all weights', exports: true }),
    // @ts-expect-error: it is missing whether the model can be exported
    defineEvaluation({ ...facts, flops, trains: 'all weights', checkpoint }),
  ];
  expect([...complete, ...incomplete].map(({ name }) => name)).toEqual(Array(5).fill('invented'));
});

it('kinds that measure the corruptions have the metric of their table', () => {
  const measuring = Object.values(STAGE_ENTRIES).filter(({ corruptions }) => corruptions !== undefined);
  expect(measuring.map(({ name, metrics }) => [name, 'meanError' in metrics])).toEqual([
    ['finetune', true],
    ['robustness', true],
  ]);
});
