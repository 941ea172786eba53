/** The rounds of a plan: the first seed of every cell, then the second. */
import { roundsOf } from '../../src/spec/rounds.js';
import { stageIds, type Job, type Plan } from '../../src/spec/stages.js';
import { plan } from './support/sweeps.js';

/** Each job as `objective seed kind@round …`. */
function roundsIn(whole: Plan, named: (job: Job) => string): string[] {
  const rounds = roundsOf(whole);
  const kinds = new Map(whole.stages.map(({ id, config }) => [id, config.kind]));
  return whole.jobs.map(
    (job) =>
      `${named(job)} ${stageIds(job)
        .map((id) => `${kinds.get(id)!}@${rounds.get(id)!}`)
        .join(' ')}`,
  );
}

const cellOf = ({ cells, seed }: Job): string => `${cells[0]!.objective} ${seed}`;

test('a stage is of the round of its seed among the seeds of its cell, in the order of the spec', () => {
  const text = 'grid: {objective: [scratch, masked], seed: [7, 3]}\ninclude: [{objective: blurred, seed: [3, 9]}]';
  expect(roundsIn(plan(text), cellOf)).toEqual([
    'scratch 7 finetune@0',
    'scratch 3 finetune@1',
    'masked 7 pretrain@0 finetune@0',
    'masked 3 pretrain@1 finetune@1',
    'blurred 3 pretrain@0 finetune@0',
    'blurred 9 pretrain@1 finetune@1',
  ]);
});

test('a stage that several jobs share is of the earliest of their rounds', () => {
  // The second cell has seed 3 first; its pre-training is that of the first cell's second seed.
  const text =
    'include: [{objective: masked, seed: [7, 3]}, {objective: masked, finetune.layerDecay: [0.5], seed: [3]}]';
  expect(roundsIn(plan(text), cellOf)).toEqual([
    'masked 7 pretrain@0 finetune@0',
    'masked 3 pretrain@0 finetune@1',
    'masked 3 pretrain@0 finetune@0',
  ]);
});

test('the trials and the runs of a candidate count their seeds separately', () => {
  const text = `
job: { data: { validation: 0.1 }, evaluate: [knn] }
grid: { objective: [scratch], seed: [0, 1] }
select: { by: knn, over: { knn.k: [5, 10] }, seeds: [100, 101] }`;
  expect(roundsIn(plan(text), ({ seed, candidate }) => `${candidate!.index}: ${seed}`)).toEqual([
    '0: 100 knn@0',
    '0: 101 knn@1',
    '0: 0 knn@0',
    '0: 1 knn@1',
    '1: 100 knn@0',
    '1: 101 knn@1',
    '1: 0 knn@0',
    '1: 1 knn@1',
  ]);
});
