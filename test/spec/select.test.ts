/** `select` in a spec: candidates, the stages of a plan, and what is refused. */
import { candidatesOf, valuesOf } from '../../src/spec/candidates.js';
import type { SelectSpec } from '../../src/spec/select-schema.js';
import { shardPlan } from '../../src/spec/shard.js';
import { stageIds, type Job, type Plan, type Stage } from '../../src/spec/stages.js';
import { buildPlan, weightsOf } from '../../src/spec/plan.js';
import { measuresCorruptions } from '../../src/stages/index.js';
import { complaints, plan, read } from './support/sweeps.js';

const spec = ({
  over = 'finetune.baseLearningRate: [1.0e-3, 2.0e-3]',
  more = '',
  job = '',
  grid = 'objective: [masked], seed: [0, 1]',
} = {}): string => `
job: { data: { validation: 0.1 }, evaluate: [finetune, knn]${job} }
grid: { ${grid} }
select:
  by: finetune
  over: { ${over} }
  seeds: [100, 101]
${more}`;

const jobsOf = ({ jobs }: Plan, of: 'trials' | 'runs'): Job[] =>
  jobs.filter(({ candidate }) => candidate!.isTrial === (of === 'trials'));
const stagesOf = (whole: Plan, jobs: readonly Job[], kind: string): Set<Stage> => {
  const ids = new Set(jobs.flatMap(stageIds));
  return new Set(whole.stages.filter(({ id, config }) => ids.has(id) && config.kind === kind));
};

describe('files of weights that differ between candidates', () => {
  test('are all named before the plan, and each stage has the digest of its own', () => {
    const sweep = read(`
job:
  { data: { validation: 0.1 }, evaluate: [knn], objective: pretrained, model: { weights: { file: a.pth } } }
grid: { seed: [0] }
select: { by: knn, over: { model.weights.file: [a.pth, b.pth] }, seeds: [100] }`);
    expect(new Set(weightsOf(sweep).map(({ weights }) => weights.file))).toEqual(new Set(['a.pth', 'b.pth']));
    const { jobs, stages } = buildPlan(
      sweep,
      () => 'data',
      (file) => `digest of ${file}`,
    );
    // For each candidate one trial and one run.
    expect(stages.map(({ config }) => [config.seed, config.weights?.sha256])).toEqual([
      [100, 'digest of a.pth'],
      [0, 'digest of a.pth'],
      [100, 'digest of b.pth'],
      [0, 'digest of b.pth'],
    ]);
    expect(jobs.map(({ weights }) => weights)).toEqual(stages.map(({ config }) => config.weights?.sha256));
  });
});

describe('candidates', () => {
  const select: SelectSpec = {
    by: 'finetune',
    over: {
      'finetune.layerDecay': { kind: 'list', values: [0.65, 0.75] },
      'finetune.baseLearningRate': { kind: 'list', values: [1, 2, 3] },
    },
    seeds: [9],
    drawSeed: 0,
    train: 'train',
  };
  const valuesIn = (changes: Partial<SelectSpec>) => candidatesOf({ ...select, ...changes }).map(valuesOf);

  test('are every combination, the last key fastest', () => {
    expect(valuesIn({}).map((values) => Object.values(values))).toEqual([
      [1, 0.65],
      [1, 0.75],
      [2, 0.65],
      [2, 0.75],
      [3, 0.65],
      [3, 0.75],
    ]);
  });

  test('that are drawn do not change when there are more of them, or another key', () => {
    const over = {
      'finetune.baseLearningRate': { kind: 'interval', whole: false, from: 1e-4, to: 1e-2, scale: 'log' },
    };
    const few = valuesIn({ trials: 3, over } as Partial<SelectSpec>);
    const many = valuesIn({ trials: 5, over: { ...over, ...select.over, ...over } } as Partial<SelectSpec>);
    expect(many.slice(0, 3).map((values) => values['finetune.baseLearningRate'])).toEqual(
      few.map((values) => values['finetune.baseLearningRate']),
    );
    expect(valuesIn({ trials: 3, over, drawSeed: 1 } as Partial<SelectSpec>)).not.toEqual(few);
  });

  test('on a logarithmic scale are uniform in the logarithm, within the interval', () => {
    const over = { 'pretrain.weightDecay': { kind: 'interval', whole: false, from: 1e-4, to: 1, scale: 'log' } };
    const drawn = valuesIn({ trials: 2000, over } as Partial<SelectSpec>).map((values) =>
      Math.log10(Object.values(values)[0] as number),
    );
    // Uniform in [−4, 0]: mean −2 and standard deviation 4/√12 = 1.155, so the mean of 2000 is within ±0.1 (4 σ).
    expect(Math.abs(drawn.reduce((a, b) => a + b, 0) / 2000 + 2)).toBeLessThan(0.1);
    expect([Math.min(...drawn) >= -4, Math.max(...drawn) <= 0]).toEqual([true, true]);
    const quarters = [0, 1, 2, 3].map((i) => drawn.filter((x) => x >= i - 4 && x < i - 3).length);
    // A quarter is binomial with mean 500 and standard deviation 19.4.
    for (const count of quarters) expect(Math.abs(count - 500)).toBeLessThan(80);
  });

  test('of whole numbers are whole, the ends included', () => {
    const over = { 'finetune.epochs': { kind: 'interval', whole: true, from: 2, to: 4, scale: 'linear' } };
    const drawn = valuesIn({ trials: 60, over } as Partial<SelectSpec>).map((values) => Object.values(values)[0]);
    expect(new Set(drawn)).toEqual(new Set([2, 3, 4]));
  });
});

describe('the plan of a sweep with select', () => {
  const selecting = plan(spec());

  test('has trials on the seeds of the selection, and runs on those of the cells', () => {
    expect(jobsOf(selecting, 'trials').map(({ seed, candidate }) => [seed, candidate!.index])).toEqual([
      [100, 0],
      [101, 0],
      [100, 1],
      [101, 1],
    ]);
    expect(jobsOf(selecting, 'runs').map(({ seed, candidate }) => [seed, candidate!.index])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ]);
  });

  test('has trials of one evaluation, on validation images, and runs that train on these too', () => {
    const trials = jobsOf(selecting, 'trials');
    expect(trials.map(({ evaluations }) => Object.keys(evaluations))).toEqual(trials.map(() => ['finetune']));
    for (const { config } of stagesOf(selecting, trials, 'finetune')) {
      expect(config).toMatchObject({ split: 'validation', data: { validation: { fraction: 0.1, splitSeed: 0 } } });
    }
    for (const kind of ['pretrain', 'finetune', 'knn']) {
      for (const { config } of stagesOf(selecting, jobsOf(selecting, 'runs'), kind)) {
        expect(config).not.toHaveProperty('split');
        expect(config.data).not.toHaveProperty('validation');
      }
    }
  });

  test('has trials that measure corrupted images only where the choice depends on them', () => {
    const measured = (by: string, corruptions: string) => {
      const whole = plan(
        spec({ job: `, finetune: { corruptions: ${corruptions} }` }).replace('by: finetune', `by: ${by}`),
      );
      const of = (jobs: 'trials' | 'runs') =>
        new Set([...stagesOf(whole, jobsOf(whole, jobs), 'finetune')].map(({ config }) => measuresCorruptions(config)));
      return { trials: [...of('trials')], runs: [...of('runs')] };
    };
    expect(measured('finetune', 'true')).toEqual({ trials: [false], runs: [true] });
    expect(measured('finetune.meanPerClass', 'true')).toEqual({ trials: [false], runs: [true] });
    expect(measured('finetune.meanError', 'true')).toEqual({ trials: [true], runs: [true] });
    expect(measured('finetune.blurError', 'true')).toEqual({ trials: [true], runs: [true] });
    // An entry that switches them on, and trials that are those of a spec without corruptions.
    const entry = spec().replace('[finetune, knn]', '[{ protocol: finetune, corruptions: true }, knn]');
    const trialsOf = (text: string) => jobsOf(plan(text), 'trials').map(({ evaluations }) => evaluations);
    expect(trialsOf(entry)).toEqual(trialsOf(spec()));
  });

  test('has trials of the evaluation robustness, all of whose stages measure corrupted images', () => {
    const over = 'pretrain.baseLearningRate: [1.0e-4, 2.0e-4]';
    const text = spec({ over }).replace('[finetune, knn]', '[robustness]').replace('by: finetune', 'by: robustness');
    const whole = plan(text);
    const trials = [...stagesOf(whole, jobsOf(whole, 'trials'), 'robustness')];
    expect(trials.map(({ config }) => measuresCorruptions(config))).toEqual([true, true, true, true]);
  });

  test('has runs without the validation images by select.train', () => {
    const onTrain = plan(spec({ more: '  train: train' }));
    for (const { config } of stagesOf(onTrain, jobsOf(onTrain, 'runs'), 'finetune')) {
      expect(config.data.validation).toEqual({ fraction: 0.1, splitSeed: 0 });
      expect(config).not.toHaveProperty('split');
    }
  });

  test('shares pre-trainings and what else the keys do not concern', () => {
    // One pre-training for each of four seeds; knn once for each reported seed.
    expect([...stagesOf(selecting, selecting.jobs, 'pretrain')]).toHaveLength(4);
    expect([...stagesOf(selecting, selecting.jobs, 'knn')]).toHaveLength(2);
    expect([...stagesOf(selecting, selecting.jobs, 'finetune')]).toHaveLength(8);
  });

  test('has the runs of a plan without select that has the chosen value', () => {
    const fixed = plan(`
job: { evaluate: [finetune, knn], finetune: { baseLearningRate: 2.0e-3 } }
grid: { objective: [masked], seed: [0, 1] }`);
    const own = new Set(selecting.stages.map(({ id }) => id));
    expect(fixed.stages.filter(({ id }) => !own.has(id))).toEqual([]);
  });

  test('does not run the same work twice if a cell lacks the keys', () => {
    const keys = 'pretrain.baseLearningRate: [1.0e-4, 2.0e-4], finetune.layerDecay: [0.65, 0.75]';
    const both = plan(spec({ over: keys, grid: 'objective: [scratch, masked], seed: [0]' }));
    const [ofScratch, ofMasked] = both.selections!.map(({ id }) =>
      both.jobs.filter(({ candidate }) => candidate!.selection === id),
    );
    expect(ofScratch!.map(({ candidate }) => candidate!.isTrial)).toEqual([false]);
    expect(ofMasked!.filter(({ candidate }) => candidate!.isTrial)).toHaveLength(8);
    expect(both.selections!.map(({ planned }) => planned)).toEqual([4, 4]);
  });

  test('keeps a selection in one shard', () => {
    const large = plan(spec({ grid: 'objective: [scratch, masked, blurred], seed: [0, 1]' }));
    const parts = [1, 2, 3].map((index) => shardPlan(large, { index, count: 3 }));
    for (const { jobs } of parts) expect(new Set(jobs.map(({ candidate }) => candidate!.selection)).size).toBe(1);
    expect(parts.flatMap(({ jobs }) => jobs)).toHaveLength(large.jobs.length);
  });

  test('is the same plan as without, if there is no select', () => {
    expect(plan('job: { data: { validation: 0.1 } }')).not.toHaveProperty('selections');
  });
});

describe('select is refused, with its line,', () => {
  test.each([
    [
      'a seed that is reported',
      { grid: 'objective: [masked], seed: [0, 101]' },
      '7:16 seed 101 is a reported seed too',
    ],
    [
      'an axis of the sweep',
      { grid: 'objective: [masked], finetune.baseLearningRate: [1.0e-3]' },
      '6:11 "finetune.baseLearningRate" is an axis of this sweep',
    ],
    [
      'a key of the data',
      { over: 'data.imageSize: [16, 32]' },
      '6:11 unknown key "data.imageSize" in select.over; all candidates of a cell have the same data',
    ],
    [
      'a misspelt key',
      { over: 'finetune.baseLearningrate: [1, 2]' },
      '6:11 unknown key "finetune.baseLearningrate" in select.over; did you mean "finetune.baseLearningRate"?',
    ],
    ['a seed among the keys', { over: 'seed: [1, 2]' }, '6:11 unknown key "seed" in select.over'],
    ['no key', { over: '' }, '6:9 select.over names no key'],
    ['one candidate', { over: 'finetune.epochs: 5' }, '6:3 select.over gives one candidate'],
    [
      'an interval without draws',
      { over: 'finetune.weightDecay: { from: 0.01, to: 0.1 }' },
      '6:33 finetune.weightDecay is an interval, from which values are only drawn; set select.trials',
    ],
    [
      'an empty interval',
      { over: 'finetune.weightDecay: { from: 0.1, to: 0.01 }', more: '  trials: 4' },
      '6:33 select.over.finetune.weightDecay: expected from below to',
    ],
    [
      'a logarithmic interval from 0',
      { over: 'finetune.weightDecay: { from: 0, to: 0.01, scale: log }', more: '  trials: 4' },
      '6:33 select.over.finetune.weightDecay: expected from above 0',
    ],
    [
      'a value that the key cannot have',
      { over: 'finetune.epochs: [5, 0]' },
      '6:32 select.over.finetune.epochs[1]: expected',
    ],
    [
      'a value that fits no cell',
      { over: 'finetune.epochs: [5, 2]' },
      '6:32 finetune.warmupEpochs (2) must be below finetune.epochs (2)',
    ],
    [
      'a key without effect on the metric',
      { over: 'finetune.epochs: [5, 6], linear.epochs: [50, 90]' },
      '6:36 linear.epochs has no effect on finetune in any cell',
    ],
    [
      'corruptions, which a choice by accuracy does not read',
      { over: 'finetune.epochs: [5, 6], finetune.corruptions: [false, true]' },
      '6:36 finetune.corruptions has no effect on finetune in any cell',
    ],
    [
      'evaluations on the way that would read the test set',
      { job: ', finetune: { evaluateEvery: 1 }' },
      '2:89 finetune.evaluateEvery would measure on the test set',
    ],
  ])('for %s', (_what, options, message) => {
    const found = complaints(spec(options));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('without validation images, or without the evaluation', () => {
    const text = spec();
    expect(complaints(text.replace('validation: 0.1', ''))[0]).toMatch(
      /^4:1 select needs validation images in the data of finetune/,
    );
    expect(complaints(text.replace('by: finetune', 'by: linear'))[0]).toMatch(
      /^5:7 select.by: "linear" is no metric of every cell/,
    );
    expect(complaints(text.replace('by: finetune', 'by: fintune'))[0]).toMatch(/did you mean "finetune"/);
    expect(complaints(text.replace('by: finetune', 'by: finetune.meanError'))).toEqual([
      '5:7 select.by: finetune.meanError is only measured with finetune.corruptions; set it, or choose by another metric',
    ]);
  });

  test('unless evaluations on the way have validation images', () => {
    expect(() => read(spec({ job: ', finetune: { evaluateEvery: 1 }', more: '  train: train' }))).not.toThrow();
  });
});

test('--set can unset select, and nothing else of it', () => {
  expect(plan(spec(), ['select=null'])).not.toHaveProperty('selections');
  expect(complaints(spec(), ['select.by=knn'])[0]).toContain('edit the file to change select');
});
