/** Which stages are needed, by results that are given as values. */
import { planOf, resultOf } from '../runner/support.js';
import { needsOf, needsOfAll } from '../../src/decide/needs.js';
import { needOf, type Needs } from '../../src/decide/rules.js';
import { seedsProblem } from '../../src/decide/seeds.js';
import type { Standing } from '../../src/decide/standing.js';
import type { Plan, Stage } from '../../src/spec/stages.js';
import { CLEAR, COMPARED, EQUAL, objectiveOf, UNCLEAR } from './support.js';

type Accuracy = (objective: string, seed: number) => number;

/** Standings if seeds below a number are done; `other` says what is different. */
const standings =
  (plan: Plan, seeds: number, accuracy: Accuracy, other: (stage: Stage) => Standing | undefined = () => undefined) =>
  (stage: Stage): Standing => {
    const different = other(stage);
    if (different !== undefined) return different;
    const { kind, seed } = stage.config;
    if (seed >= seeds) return { kind: 'awaited' };
    return { kind: 'done', result: resultOf(kind, { accuracy: accuracy(objectiveOf(plan, stage), seed) }) };
  };

/** The needs of each seed, each once. */
function bySeed({ stages }: Plan, needs: Needs): string[][] {
  const seeds = [...new Set(stages.map(({ config }) => config.seed))].sort((a, b) => a - b);
  return seeds.map((seed) => {
    const own = stages.filter(({ config }) => config.seed === seed).map((stage) => needOf(needs, stage));
    return [...new Set(own.map((need) => (need.kind === 'wanted' ? 'wanted' : `${need.kind}: ${need.why}`)))];
  });
}

const needed = (seeds: number, accuracy: Accuracy, other?: (stage: Stage) => Standing | undefined): string[][] =>
  bySeed(COMPARED, needsOf(COMPARED, standings(COMPARED, seeds, accuracy, other)));

const [AFTER_2, AFTER_3] = ['open: needs the look at 2 seeds', 'open: needs the look at 3 seeds'];

test('the seeds of the first look are wanted, and the others wait for their looks', () => {
  expect(needed(0, CLEAR)).toEqual([['wanted'], ['wanted'], [AFTER_2], [AFTER_2]]);
});

test('a look waits for every result of its seeds', () => {
  expect(needed(1, CLEAR)).toEqual([['wanted'], ['wanted'], [AFTER_2], [AFTER_2]]);
});

test('a verdict that is decided ends the sweep', () => {
  const end = ['unneeded: decided at 2 seeds'];
  expect(needed(2, CLEAR)).toEqual([['wanted'], ['wanted'], end, end]);
});

test('so does a difference that is smaller than the smallest of interest', () => {
  const end = ['unneeded: decided at 2 seeds'];
  expect(needed(2, EQUAL)).toEqual([['wanted'], ['wanted'], end, end]);
});

test('a verdict that is not decided wants the next look, up to the last one', () => {
  expect(needed(2, UNCLEAR)).toEqual([['wanted'], ['wanted'], ['wanted'], [AFTER_3]]);
  expect(needed(3, UNCLEAR)).toEqual([['wanted'], ['wanted'], ['wanted'], ['wanted']]);
  expect(needed(4, UNCLEAR)).toEqual([['wanted'], ['wanted'], ['wanted'], ['wanted']]);
});

test('a complete look is judged once for the same results, and again when one of them differs', () => {
  let reads = 0;
  const counted = (stage: Stage, accuracy: number): Standing => {
    const result = resultOf(stage.config.kind, { accuracy });
    const get = (own: typeof result, key: string): unknown => {
      reads += 1;
      return Reflect.get(own, key);
    };
    return { kind: 'done', result: new Proxy<typeof result>(result, { get }) };
  };
  const done = new Map(
    COMPARED.stages
      .filter(({ config }) => config.seed < 2)
      .map((stage) => [stage.id, counted(stage, CLEAR(objectiveOf(COMPARED, stage), stage.config.seed))]),
  );
  const ask = (): Needs => needsOf(COMPARED, ({ id }) => done.get(id) ?? { kind: 'awaited' });
  const decided = bySeed(COMPARED, ask())[2];
  expect(decided).toEqual(['unneeded: decided at 2 seeds']);
  const readOnce = reads;
  expect(readOnce).toBeGreaterThan(0);
  expect(bySeed(COMPARED, ask())[2]).toEqual(decided);
  expect(reads).toBe(readOnce);

  const other = COMPARED.stages.find(
    (stage) =>
      stage.config.kind !== 'pretrain' && stage.config.seed === 1 && objectiveOf(COMPARED, stage) === 'zoomed-in',
  )!;
  done.set(other.id, counted(other, 0));
  expect(bySeed(COMPARED, ask())[2]).toEqual(['wanted']);
});

test('results beyond a look change nothing of it', () => {
  // Four seeds are done, as of a sweep with a fixed number before; the first look decides.
  expect(needed(4, CLEAR)[2]).toEqual(['unneeded: decided at 2 seeds']);
});

test('a failed stage, and what starts from it, are missing runs that no look waits for', () => {
  const failed = (stage: Stage): Standing | undefined => {
    if (stage.config.seed !== 1 || objectiveOf(COMPARED, stage) !== 'zoomed-in') return undefined;
    return { kind: stage.config.kind === 'pretrain' ? 'failed' : 'awaited' };
  };
  // One pair is left of the first look, which decides nothing.
  expect(needed(2, CLEAR, failed)).toEqual([['wanted'], ['wanted'], ['wanted'], [AFTER_3]]);
});

test('an unhealthy run is a missing run', () => {
  const unhealthy = (stage: Stage): Standing | undefined =>
    stage.config.kind === 'pretrain' && stage.config.seed === 1
      ? { kind: 'done', result: resultOf('pretrain', { loss: 2 }) }
      : undefined;
  expect(needed(2, CLEAR, unhealthy)[2]).toEqual(['wanted']);
});

test('a plan without rules wants every stage', () => {
  const plan = planOf('grid: {objective: [masked], seed: [0, 1]}');
  expect(needsOf(plan, () => ({ kind: 'awaited' })).size).toBe(0);
});

test('of several plans, a stage is needed if one of them needs it', () => {
  const fixed = planOf('{job: {evaluate: [knn]}, grid: {objective: [zoomed-in], seed: [3]}}');
  const needs = needsOfAll([COMPARED, fixed], standings(COMPARED, 2, CLEAR));
  expect(fixed.stages.map((stage) => needOf(needs, stage).kind)).toEqual(['wanted', 'wanted']);
  expect(COMPARED.stages.filter((stage) => needOf(needs, stage).kind === 'unneeded')).toHaveLength(4);
});

describe('a rule that can decide nothing is refused', () => {
  test('if no two objectives are compared', () => {
    const plan = planOf('{grid: {objective: [masked, scratch]}, seeds: {max: 5}}');
    expect(seedsProblem(plan)).toContain('add compare: [[objective, objective]], or use grid.seed');
  });

  test('if jobs are ranked by different metrics, or by none', () => {
    const both = planOf('{grid: {objective: [masked, identity], evaluate: [[knn], [linear]]}, seeds: {max: 5}}');
    expect(seedsProblem(both)).toContain('the jobs are ranked by knn and linear');
    const none = planOf('{job: {evaluate: []}, grid: {objective: [masked, identity]}, seeds: {max: 5}}');
    expect(seedsProblem(none)).toContain('no job has an evaluation');
  });

  test('and one that can is not', () => {
    expect(seedsProblem(planOf('{grid: {objective: [masked, identity]}, seeds: {max: 5}}'))).toBeNull();
    expect(seedsProblem(planOf('grid: {objective: [masked]}'))).toBeNull();
  });
});
