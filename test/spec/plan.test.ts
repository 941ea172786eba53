import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { buildPlan, datasetsOf } from '../../src/spec/plan.js';
import { SpecError } from '../../src/spec/problems.js';
import type { Plan, StageKind } from '../../src/spec/stages.js';
import * as arbitrary from './support/arbitraries.js';
import { ABLATION, plan, read } from './support/sweeps.js';

const idsOf = ({ stages }: Plan, kind?: StageKind): string[] =>
  stages.filter(({ config }) => kind === undefined || config.kind === kind).map(({ id }) => id);

describe('the ablation', () => {
  const ablation = plan(ABLATION);

  test('has 63 jobs: 2 × 4 × 3 triples, less 4 excluded, by 3 seeds, and 3 from scratch', () => {
    expect(ablation.jobs).toHaveLength((2 * 4 * 3 - 4) * 3 + 3);
    expect(ablation.jobs.filter(({ task }) => task === null)).toHaveLength(3);
  });

  test('has 249 stages: a pre-training and three evaluations each, scratch without the first', () => {
    expect(ablation.stages).toHaveLength(60 * 4 + 3 * 3);
    expect(idsOf(ablation, 'pretrain')).toHaveLength(60);
    for (const kind of ['finetune', 'linear', 'knn'] as const) expect(idsOf(ablation, kind)).toHaveLength(63);
  });

  test('leaves nothing out, for identity leaves every part to the axes', () => {
    expect(ablation.leftOut).toEqual([]);
  });

  test('has every corner that the paper’s tables compare', () => {
    const triples = ablation.jobs.flatMap(({ task, seed }) =>
      task === null || seed !== 0 ? [] : [`${task.maskRatio} ${task.geometry.kind} ${task.style.kind}`],
    );
    expect(triples).toEqual(
      expect.arrayContaining([
        '0.75 none preserved',
        '0 zoomed-in preserved',
        '0 zoomed-out preserved',
        '0 distorted preserved',
        '0 none blurred',
        '0 none decolorized',
        '0.75 zoomed-in preserved',
      ]),
    );
    expect(triples).not.toContain('0.75 none blurred');
  });

  test('ranks by the first evaluation', () => {
    expect(new Set(ablation.jobs.map(({ rankedBy }) => rankedBy))).toEqual(new Set(['finetune']));
    expect(plan('job: {evaluate: [knn, finetune]}').jobs[0]!.rankedBy).toBe('knn');
  });

  test('has the name of the file’s own', () => {
    expect(ablation).toMatchObject({ version: 1, name: 'ablation' });
  });
});

describe('the full product of objectives and axes', () => {
  // 8 objectives × 2 ratios × 4 misalignments × 3 styles.
  const full = plan(
    'grid:\n' +
      '  objective: [scratch, identity, masked, zoomed-in, zoomed-out, distorted, blurred, decolorized]\n' +
      '  maskRatio: [0, 0.75]\n' +
      '  misalignment: [none, zoomed-in, zoomed-out, distorted]\n' +
      '  stylePreservation: [preserved, blurred, decolorized]\n',
  );

  test('accounts for all its 192 cells', () => {
    const inJobs = full.jobs.reduce((sum, { cells }) => sum + cells.length, 0);
    expect(inJobs + full.leftOut.length).toBe(8 * 2 * 4 * 3);
  });

  test('leaves out masked at 0, and geometries and styles other than the objective’s own', () => {
    const perObjective = new Map<string, number>();
    for (const { cell } of full.leftOut) perObjective.set(cell.objective, (perObjective.get(cell.objective) ?? 0) + 1);
    expect(Object.fromEntries(perObjective)).toEqual({
      masked: 4 * 3, // ratio 0
      'zoomed-in': 2 * 3 * 3, // the three other geometries
      'zoomed-out': 2 * 3 * 3,
      distorted: 2 * 3 * 3,
      blurred: 2 * 4 * 2, // the two other styles
      decolorized: 2 * 4 * 2,
    });
  });

  test('comes to 25 jobs: each of 24 triples once, and scratch', () => {
    expect(full.jobs).toHaveLength(2 * 4 * 3 + 1);
    const scratch = full.jobs.find(({ task }) => task === null);
    expect(scratch?.cells).toHaveLength(2 * 4 * 3);
  });
});

describe('jobs', () => {
  test('are one if cells reduce to the same triple', () => {
    const { jobs } = plan(
      'include: [{objective: masked}, {objective: identity, maskRatio: 0.75}, {objective: masked, maskRatio: 0.75}]',
    );
    expect(jobs.map(({ cells }) => cells.length)).toEqual([3]);
  });

  test('are one per seed from scratch, for all values of the axes', () => {
    const { jobs } = plan(
      'grid: {objective: scratch, maskRatio: [0, 0.5], stylePreservation: [true, false], seed: [0, 1]}',
    );
    expect(jobs.map(({ seed, pretrain, cells }) => [seed, pretrain, cells.length])).toEqual([
      [0, null, 4],
      [1, null, 4],
    ]);
  });

  test('keep every key of the cell as the spec writes it', () => {
    const [job] = plan('grid: {objective: blurred, stylePreservation: false, pretrain.epochs: 9}').jobs;
    expect(job!.cells).toEqual([
      {
        objective: 'blurred',
        maskRatio: null,
        misalignment: null,
        stylePreservation: false,
        seed: 0,
        overrides: { 'pretrain.epochs': 9 },
      },
    ]);
  });
});

describe('stages', () => {
  test('share a pre-training between label fractions, recipes and evaluations', () => {
    const shared = plan(
      'grid: {data.labelFraction: [0.1, 1], finetune.mixup: [0, 0.8]}\njob: {evaluate: [finetune, knn]}',
    );
    expect(idsOf(shared, 'pretrain')).toHaveLength(1);
    expect(idsOf(shared, 'finetune')).toHaveLength(4);
    expect(idsOf(shared, 'knn')).toHaveLength(2);
  });

  test('follow their parents', () => {
    const seen = new Set<string>();
    for (const { id, parent } of plan(ABLATION).stages) {
      expect(parent === null || seen.has(parent)).toBe(true);
      seen.add(id);
    }
  });

  test('have the hash of what decides their result as identity', () => {
    const [pretrain] = plan('job: {data: {name: idx, path: somewhere}}').stages;
    const sorted = (value: unknown): unknown =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, member]) => [key, sorted(member)]),
          );
    const { id, ...content } = pretrain!;
    expect(content.config.data).toHaveProperty('path', 'somewhere');
    const data = Object.fromEntries(Object.entries(content.config.data).filter(([key]) => key !== 'path'));
    const text = JSON.stringify(sorted({ ...content, config: { ...content.config, data } }));
    expect(id).toBe(createHash('sha256').update(text).digest('hex').slice(0, 16));
  });

  test.each([
    ['the seed', 'job: {seed: 1}'],
    ['the data set', 'job: {data: {name: cifar10}}'],
    ['the size of the images', 'job: {data: {imageSize: 64}}'],
    ['the model', 'job: {model: {depth: 5}}'],
    ['the decoder', 'job: {model: {decoder: {depth: 2}}}'],
    ['the task', 'job: {maskRatio: 0.5}'],
    ['the recipe', 'job: {pretrain: {epochs: 30}}'],
  ])('of pre-training and what follows change with %s', (_, text) => {
    const changed = plan(text);
    const before = plan('job: {}');
    expect(idsOf(changed)).toHaveLength(2);
    for (const id of idsOf(before)) expect(idsOf(changed)).not.toContain(id);
  });

  test.each([
    ['the name', 'name: other\njob: {}'],
    ['the description', 'description: why\njob: {}'],
    ['a default written out', 'job: {pretrain: {epochs: 20}, objective: masked, maskRatio: 0.75}'],
    ['strengths the task has not', 'job: {degradation: {blurred: {relativeStd: 2}}}'],
    ['values for scratch', 'job: {finetune: {scratch: {epochs: 30}}}'],
    ['a step of augmentation that is off', 'job: {finetune: {randAugment: none}}'],
    ['recipes of evaluations not asked for', 'job: {knn: {k: 5}, finetune: {scratchLayerDecay: 0.5}}'],
  ])('do not change with %s', (_, text) => {
    expect(idsOf(plan(text))).toEqual(idsOf(plan('job: {}')));
  });

  test('do not change with the path of the data, but with its content', () => {
    const at = (path: string) => read(`job: {data: {name: idx, path: ${path}}}`);
    const original = buildPlan(at('a'), () => 'content');
    expect(idsOf(buildPlan(at('b'), () => 'content'))).toEqual(idsOf(original));
    expect(idsOf(buildPlan(at('a'), () => 'other'))).not.toEqual(idsOf(original));
  });

  test('do not change with the folders of the splits, but with how images are decoded', () => {
    const of = (keys: string) => plan(`job: {data: {name: image-folder, path: a${keys}}}`);
    const original = idsOf(of(''));
    expect(idsOf(of(', splits: {train: fit, test: exam}'))).toEqual(original);
    for (const keys of ['decode: colour-managed', 'damaged: skip', 'labels: none']) {
      for (const id of idsOf(of(`, ${keys}`))) expect(original).not.toContain(id);
    }
  });

  test('are only pre-training without an evaluation', () => {
    const { jobs, stages, leftOut } = plan('job: {evaluate: []}\ngrid: {objective: [masked, scratch]}');
    expect(stages.map(({ config }) => config.kind)).toEqual(['pretrain']);
    expect(jobs).toMatchObject([{ evaluations: {}, rankedBy: null }]);
    expect(leftOut).toMatchObject([{ cell: { objective: 'scratch' }, reason: /nothing to run/ }]);
  });

  test('from scratch do not depend on pre-training', () => {
    const scratch = 'objective: scratch';
    expect(idsOf(plan(`job: {${scratch}, pretrain: {epochs: 50}, model: {decoder: {depth: 2}}}`))).toEqual(
      idsOf(plan(`job: {${scratch}}`)),
    );
  });
});

test('datasetsOf lists each data set once, for all fractions of its labels', () => {
  const sweep = read('grid: {data.name: [shapes, cifar10], data.labelFraction: [0.5, 1], seed: [0, 1]}');
  expect(datasetsOf(sweep).map(({ name }) => name)).toEqual(['shapes', 'cifar10']);
});

test('any plan has no two jobs or stages alike, and every cell once', () => {
  fc.assert(
    fc.property(arbitrary.sweep, (raw) => {
      let built: Plan;
      try {
        built = plan(JSON.stringify(raw));
      } catch (error) {
        fc.pre(!(error instanceof SpecError)); // every cell excluded or contradictory
        throw error;
      }
      const { jobs, stages, leftOut } = built;
      expect(new Set(stages.map(({ id }) => id)).size).toBe(stages.length);
      const work = jobs.map(({ pretrain, evaluations }) => JSON.stringify([pretrain, evaluations]));
      expect(new Set(work).size).toBe(jobs.length);
      const cells = [...jobs.flatMap((job) => job.cells), ...leftOut.map(({ cell }) => cell)];
      expect(new Set(cells.map((cell) => JSON.stringify(cell))).size).toBe(cells.length);
      const used = new Set(
        jobs.flatMap(({ pretrain, evaluations }) => [pretrain, ...Object.values(evaluations).flat()]),
      );
      used.delete(null);
      expect(used).toEqual(new Set(stages.map(({ id }) => id)));
      expect(plan(JSON.stringify(raw))).toEqual(built);
    }),
  );
});
