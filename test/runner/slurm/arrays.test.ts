import type { Stage } from '../../../src/spec/stages.js';
import { indexRanges, planArrays } from '../../../src/runner/slurm/arrays.js';
import { roundsOf } from '../../../src/spec/rounds.js';
import { planOf } from '../support.js';

const SEEDS = 'job: { evaluate: [finetune, knn] }\ngrid: { objective: [masked, scratch], seed: [0, 1, 2] }\n';
const stagesOf = (yaml: string): Stage[] => planOf(yaml).stages;
const ofKind = (stages: readonly Stage[], kind: string): Stage[] => stages.filter(({ config }) => config.kind === kind);

describe('the arrays of a plan', () => {
  it('hold every stage once', () => {
    const stages = stagesOf(SEEDS);
    const listed = planArrays(stages, 1000).flatMap(({ tasks }) => tasks.map(({ stage }) => stage));
    expect(listed.sort()).toEqual(stages.map(({ id }) => id).sort());
  });

  it('have the tasks of the first seed first, of each seed the parents of other stages first', () => {
    const plan = planOf(SEEDS);
    const [roots] = planArrays(plan.stages, 1000, roundsOf(plan));
    const byId = new Map(plan.stages.map((stage) => [stage.id, stage.config]));
    expect(roots!.tasks.map(({ stage }) => `${byId.get(stage)!.kind} ${byId.get(stage)!.seed}`)).toEqual(
      [0, 1, 2].flatMap((seed) => [`pretrain ${seed}`, `finetune ${seed}`, `knn ${seed}`]),
    );
  });

  it.each([1000, 4, 1])(
    'give a child the index of its parent in the array it waits for, with %d tasks at most',
    (largest) => {
      const stages = stagesOf(SEEDS);
      const arrays = planArrays(stages, largest);
      expect(new Set(arrays.map(({ name }) => name)).size).toBe(arrays.length);
      for (const { parent, tasks } of arrays) {
        expect(tasks.length).toBeGreaterThan(0);
        const known = arrays.find(({ name }) => name === parent)?.tasks;
        for (const { index, stage } of tasks) {
          expect(index).toBeLessThan(largest);
          const expected = stages.find(({ id }) => id === stage)!.parent ?? undefined;
          expect(known?.find((task) => task.index === index)?.stage).toBe(expected);
        }
      }
    },
  );

  it('come after those they wait for', () => {
    const names = planArrays(stagesOf(SEEDS), 2).map(({ name, parent }) => ({ name, parent }));
    names.forEach(({ parent }, i) => {
      if (parent !== null) expect(names.slice(0, i).map(({ name }) => name)).toContain(parent);
    });
    expect(names.slice(0, 2)).toEqual([
      { name: 'level-0', parent: null },
      { name: 'level-0-2', parent: null },
    ]);
  });

  it('start the stages that others wait for first', () => {
    const stages = stagesOf('grid: { objective: [scratch, masked] }\n');
    const first = planArrays(stages, 1000)[0]!.tasks.map(({ stage }) => stages.find(({ id }) => id === stage)!);
    expect(first.map(({ config }) => config.kind)).toEqual(['pretrain', 'finetune']);
  });

  it('wait for no job if the parent is done already', () => {
    const wanted = ofKind(stagesOf(SEEDS), 'knn');
    expect(planArrays(wanted, 1000)).toEqual([
      { name: 'level-0', parent: null, tasks: wanted.map(({ id }, index) => ({ index, stage: id })) },
    ]);
  });

  it('are none without stages', () => {
    expect(planArrays([], 1000)).toEqual([]);
  });
});

it.each([
  [[0], '0'],
  [[0, 1, 2, 3], '0-3'],
  [[0, 2, 3, 7], '0,2-3,7'],
])('indices %j are written as %s', (indices, text) => {
  expect(indexRanges(indices)).toBe(text);
});
