import fc from 'fast-check';
import { formatShard, parseShard, shardPlan } from '../../src/spec/shard.js';
import { SpecError } from '../../src/spec/problems.js';
import { stageIds, type Plan } from '../../src/spec/stages.js';
import { sweep } from './support/arbitraries.js';
import { ABLATION, plan } from './support/sweeps.js';

/** Random plans; sweeps of nothing but contradictions have none. */
const plans = sweep
  .map((raw) => {
    try {
      return plan(JSON.stringify(raw));
    } catch (error) {
      if (error instanceof SpecError) return undefined;
      throw error;
    }
  })
  .filter((made) => made !== undefined);

const counts = fc.integer({ min: 1, max: 7 });

const shards = (whole: Plan, count: number): Plan[] =>
  Array.from({ length: count }, (_, index) => shardPlan(whole, { index: index + 1, count }));

const ids = ({ stages }: Plan): string[] => stages.map(({ id }) => id);
const pretrainings = ({ stages }: Plan): number => stages.filter(({ config }) => config.kind === 'pretrain').length;

describe('the shards of any plan', () => {
  test('are disjoint and cover every stage and job, each in the order of the plan', () => {
    fc.assert(
      fc.property(plans, counts, (whole, count) => {
        const parts = shards(whole, count);
        const together = parts.flatMap(ids);
        expect(new Set(together).size).toBe(together.length);
        expect([...together].sort()).toEqual(ids(whole).sort());
        expect(parts.flatMap(({ jobs }) => jobs)).toHaveLength(whole.jobs.length);
        for (const part of parts) {
          expect(ids(part)).toEqual(ids(whole).filter((id) => ids(part).includes(id)));
        }
      }),
    );
  });

  test('hold the parents of their stages, and every stage of their jobs', () => {
    fc.assert(
      fc.property(plans, counts, (whole, count) => {
        for (const part of shards(whole, count)) {
          const own = new Set(ids(part));
          for (const { parent } of part.stages) expect(parent === null || own.has(parent)).toBe(true);
          for (const job of part.jobs) expect(stageIds(job).filter((id) => !own.has(id))).toEqual([]);
        }
      }),
    );
  });

  test('have as many pre-trainings as each other, or one more', () => {
    fc.assert(
      fc.property(plans, counts, (whole, count) => {
        const numbers = shards(whole, count).map(pretrainings);
        expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('are the whole plan if there is one shard', () => {
    fc.assert(
      fc.property(plans, (whole) => {
        expect(shardPlan(whole, { index: 1, count: 1 })).toEqual(whole);
      }),
    );
  });
});

test('a stage without pre-training is in the shard with the least work', () => {
  const whole = plan('grid: {objective: [masked, scratch, identity], seed: [0, 1]}');
  expect(shards(whole, 3).map((part) => [pretrainings(part), part.stages.length])).toEqual([
    [2, 4],
    [1, 3],
    [1, 3],
  ]);
});

test('pre-trainings weigh before stages: one with four fine-tunings is dealt as one with one', () => {
  const whole = plan(
    'grid: {objective: [masked], seed: [0], data.labelFraction: [0.1, 0.3, 0.5, 1]}\n' +
      'include: [{objective: masked, seed: [1, 2, 3]}]',
  );
  // Of the second pre-trainings, the shard with fewer stages gets the first.
  expect(shards(whole, 2).map((part) => [pretrainings(part), part.stages.length])).toEqual([
    [2, 5 + 2],
    [2, 2 + 2],
  ]);
});

test('jobs that share a pre-training stay together', () => {
  const whole = plan('grid: {objective: [masked], data.labelFraction: [0.1, 1], seed: [0, 1]}');
  for (const part of shards(whole, 2)) expect([part.jobs.length, part.stages.length]).toEqual([2, 3]);
});

test('a shard beyond the last job is empty', () => {
  const whole = plan('grid: {objective: [masked]}');
  expect(shards(whole, 3).map(({ stages }) => stages.length)).toEqual([2, 0, 0]);
});

test('the sweep of the design falls in equal parts', () => {
  const parts = shards(plan(ABLATION), 4);
  expect(new Set(parts.map(pretrainings)).size).toBeLessThanOrEqual(2);
  expect(parts.every(({ stages }) => stages.length > 0)).toBe(true);
});

describe('i/n', () => {
  test.each(['1/1', '2/3', '16/16'])('%s is read and written', (text) => {
    expect(formatShard(parseShard(text)!)).toBe(text);
  });

  test.each(['0/3', '4/3', '3', '1/0', '-1/3', '1/3/5', '1.5/3', ' 1/3', '1/', 'a/b', '01/3', ''])(
    '%p is refused',
    (text) => {
      expect(parseShard(text)).toBeUndefined();
    },
  );
});
