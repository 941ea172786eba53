import { readSweep } from '../../src/spec/sweep.js';
import { buildPlan } from '../../src/spec/plan.js';
import { planId } from '../../src/store/plans.js';
import { planSchema } from '../../src/store/records.js';
import { SpecError } from '../../src/spec/problems.js';

const read = (text: string, sets: string[] = []) => readSweep(text, { file: 's.yaml', defaultName: 's', sets });
const planOf = (text: string) => buildPlan(read(text), () => 'fingerprint');

function problemsOf(text: string, sets: string[] = []): string[] {
  try {
    read(text, sets);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return error.problems.map(({ location, message }) =>
      location.kind === 'file' ? `${location.line}: ${message}` : `${location.option}: ${message}`,
    );
  }
  return [];
}

test('the plan has all seeds that may be needed, and the rule', () => {
  const { jobs, seeds } = planOf('{grid: {objective: [masked, scratch]}, seeds: {max: 12, smallest: 0.5, from: 100}}');
  expect(jobs).toHaveLength(24);
  expect(seeds).toEqual({
    seeds: [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111],
    looks: [3, 5, 8, 12],
    alpha: 0.05,
    smallest: 0.5,
  });
});

test.each([
  ['{max: 12}', [3, 5, 8, 12]],
  ['{max: 3}', [3]],
  ['{max: 2}', [2]],
  ['{min: 4, max: 20}', [4, 7, 12, 20]],
  ['{max: 9}', [3, 5, 9]], // 8 and 9 would be nearly the same look
  ['{looks: [2, 10]}', [2, 10]],
  ['{min: 2, max: 10, looks: [2, 10]}', [2, 10]],
])('seeds: %s has its looks at %j', (seeds, looks) => {
  expect(read(`seeds: ${seeds}`).seeds!.looks).toEqual(looks);
});

test('a seed that is given in another place too is refused there', () => {
  expect(
    problemsOf(
      'seeds: {max: 5}\njob: {seed: 1}\ngrid:\n  seed: [0]\ninclude:\n  - zip: {seed: [1]}\nexclude: [{seed: 2}]',
    ),
  ).toEqual([
    '2: seeds decides how many seeds run, and job.seed names them; keep one',
    '4: seeds decides how many seeds run, and grid.seed names them; keep one',
    '6: seeds decides how many seeds run, and include[0].zip.seed names them; keep one',
    '7: seeds decides how many seeds run, and exclude[0].seed names them; keep one',
  ]);
});

test.each([
  ['seeds: {alpha: 0.1}', '1: seeds.max is missing (the most seeds); or give looks, as in looks: [3, 5, 8, 12]'],
  ['seeds: {min: 6, max: 5}', '1: seeds.min (6) must not be above seeds.max (5)'],
  ['seeds: {looks: [5, 3]}', '1: seeds.looks must ascend, as in [3, 5, 8, 12]; they are 5, 3'],
  ['seeds: {looks: [3, 5], max: 6}', '1: seeds.max (6) must be the last of seeds.looks (5); leave one of them out'],
  ['seeds: {looks: [3, 5], min: 2}', '1: seeds.min (2) must be the first of seeds.looks (3); leave one of them out'],
  ['compare: [[masked, masked]]', '1: compare[0] compares masked with itself'],
])('%s is refused', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test.each([
  'seeds: {max: 1}',
  'seeds: {max: 5, alpha: 0}',
  'seeds: {max: 5, smalest: 1}',
  'compare: [[masked]]',
  'compare: [[masked, maskd]]',
])('%s has a problem with a line', (text) => {
  expect(problemsOf(text)).toHaveLength(1);
  expect(problemsOf(text)[0]).toMatch(/^1: /);
});

test('options set and unset the rule', () => {
  expect(read('seeds: {max: 5}', ['seeds.max=7']).seeds!.looks.at(-1)).toBe(7);
  expect(read('seeds: {max: 5}', ['seeds=null', 'grid.seed=[0, 1]']).seeds).toBeUndefined();
  expect(problemsOf('seeds: {max: 5}', ['seeds.most=7'])[0]).toContain('--set seeds.most=7: unknown key');
});

test('objectives of comparisons have their canonical names', () => {
  expect(read('compare: [[zoomed-in + masked, scratch]]').compare).toEqual([['masked+zoomed-in', 'scratch']]);
});

test('a plan without a rule has the identity that it had, and rules are part of the identity', () => {
  const grid = 'grid: {objective: [masked, scratch], seed: [0, 1, 2]}';
  const plain = planOf(grid);
  expect(Object.keys(plain)).toEqual(['version', 'name', 'jobs', 'stages', 'leftOut']);
  const plans = [
    plain,
    planOf(`${grid}\ncompare: [[masked, scratch]]`),
    planOf('{grid: {objective: [masked, scratch]}, seeds: {max: 3}}'),
    planOf('{grid: {objective: [masked, scratch]}, seeds: {looks: [2, 3]}}'),
  ];
  expect(new Set(plans.map(planId)).size).toBe(4);
  expect(new Set(plans.map(({ stages }) => JSON.stringify(stages))).size).toBe(1);
  for (const plan of plans) expect(planSchema.parse(plan)).toEqual(plan);
});

test('a plan whose looks are not those of its seeds is damaged', () => {
  const plan = planOf('{grid: {objective: [masked, scratch]}, seeds: {max: 3}}');
  expect(planSchema.safeParse({ ...plan, seeds: { ...plan.seeds, looks: [2] } }).success).toBe(false);
});
