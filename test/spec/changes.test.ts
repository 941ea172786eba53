import { changesSince } from '../../src/spec/changes.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';

const planOf = (yaml: string, fingerprint = 'fingerprint') =>
  buildPlan(readSweep(yaml, { file: 'sweep.yaml', defaultName: 'sweep' }), () => fingerprint);

function changes(before: string, after: string, fingerprint?: string): string[] {
  const plan = planOf(after, fingerprint);
  const told = changesSince(plan, [planOf(before)]);
  return plan.stages.map(({ id, config }) => `${config.kind}: ${told.get(id) ?? '-'}`);
}

const MASKED = 'grid: {objective: [masked]}';

test('a changed key is reported with both values, also for the stages that start from the stage', () => {
  expect(changes(MASKED, `job: {pretrain: {epochs: 30}}\n${MASKED}`)).toEqual([
    'pretrain: changed: pretrain.epochs 20 → 30',
    'finetune: changed: pretrain.epochs 20 → 30',
  ]);
  expect(changes(MASKED, `job: {finetune: {epochs: 30}}\n${MASKED}`)).toEqual([
    'pretrain: -',
    'finetune: changed: finetune.epochs 20 → 30',
  ]);
});

test('many changes are counted', () => {
  const many = `job: {pretrain: {epochs: 30, batchSize: 7, beta1: 0.5, beta2: 0.5, weightDecay: 0}}\n${MASKED}`;
  expect(changes(MASKED, many)[0]).toMatch(/^pretrain: changed: .* and 2 more$/);
});

test('changed data is reported', () => {
  expect(changes(MASKED, MASKED, 'another')).toEqual([
    "pretrain: changed: the data set's content",
    "finetune: changed: the data set's content",
  ]);
});

test('a key that becomes unset or set is reported as such', () => {
  expect(changes(MASKED, `job: {pretrain: {clipGradient: 1}}\n${MASKED}`)[0]).toBe(
    'pretrain: changed: pretrain.clipGradient unset → 1',
  );
});

test('new cells are new, and existing stages are not reported', () => {
  expect(changes(MASKED, 'grid: {objective: [masked, zoomed-in]}')).toEqual([
    'pretrain: -',
    'finetune: -',
    'pretrain: -',
    'finetune: -',
  ]);
});

test('order, comments and formatting change no identity', () => {
  const one =
    'job:\n  pretrain: {epochs: 3, batchSize: 8}\n  model: {dim: 24, heads: 2}\ngrid: {objective: [masked]}\n';
  const two =
    'name: sweep\n# a comment\ngrid:\n  objective:\n    - masked\njob: {model: {heads: 2, dim: 24}, "pretrain": {"batchSize": 8, epochs: 3.0}}\n';
  expect(planOf(two).stages).toEqual(planOf(one).stages);
});
