/** Evaluations as entries with names: the stages that they become, and what is refused. */
import { z } from 'zod';
import { OFF } from '../../src/common/values.js';
import { entriesOf } from '../../src/spec/entries.js';
import { findKey, jobKeys } from '../../src/spec/keys.js';
import { datasetsOf } from '../../src/spec/plan.js';
import { repeatsOf, type Plan, type StageConfig } from '../../src/spec/stages.js';
import { complaints, plan as planOf, read as sweepOf } from './support/sweeps.js';
import { EVALUATION_NAMES, EVALUATIONS } from '../../src/stages/index.js';

/** The configurations of an evaluation of the only job, one for each repeat. */
function configsOf({ jobs, stages }: Plan, name: string): Exclude<StageConfig, { kind: 'pretrain' }>[] {
  return repeatsOf(jobs[0]!, name).flatMap((id) => {
    const { config } = stages.find((stage) => stage.id === id)!;
    return config.kind === 'pretrain' ? [] : [config];
  });
}

describe('the identity of a stage', () => {
  const idOf = (yaml: string, name: string) => repeatsOf(planOf(yaml).jobs[0]!, name);

  test('is as in earlier versions for a protocol by its name', () => {
    // Of the version before entries.
    expect(idOf('job: {evaluate: [finetune, linear]}', 'finetune')).toEqual(['a9cd7894c2d3053b']);
    expect(idOf('job: {evaluate: [finetune, linear]}', 'linear')).toEqual(['67bfb10ddffa9114']);
  });

  test('of fine-tuning does not depend on corruptions that are not measured', () => {
    expect(idOf('job: {evaluate: [finetune], finetune: {corruptions: false}}', 'finetune')).toEqual([
      'a9cd7894c2d3053b',
    ]);
  });

  test('depends on another image size if a pre-trained encoder is resampled', () => {
    const of = (objective: string, recipe: string, name = 'finetune') =>
      configsOf(
        planOf(`job: {objective: ${objective}, evaluate: [finetune, linear], finetune: {${recipe}}}`),
        name,
      )[0]!;
    expect(of('masked', 'imageSize: 64')).toMatchObject({ positions: 'resampled', model: { imageSize: 64 } });
    expect(of('masked', 'imageSize: 64', 'linear')).not.toHaveProperty('positions');
    expect(of('masked', 'imageSize: 32')).not.toHaveProperty('positions');
    expect(of('scratch', 'imageSize: 64')).not.toHaveProperty('positions');
  });

  test('depends neither on the name of the evaluation, nor on defaults that are written out', () => {
    const short = idOf('job: {evaluate: [linear]}', 'linear');
    expect(idOf('job: {evaluate: [{name: probe, protocol: linear}]}', 'probe')).toEqual(short);
    expect(idOf('job: {evaluate: [{name: probe, protocol: linear, repeats: 1, epochs: 90}]}', 'probe')).toEqual(short);
  });

  test('of the first of several repeats is the identity of an evaluation without repeats', () => {
    const repeated = idOf('job: {evaluate: [{protocol: linear, repeats: 3}]}', 'linear');
    expect(new Set(repeated).size).toBe(3);
    expect(repeated[0]).toBe(idOf('job: {evaluate: [linear]}', 'linear')[0]);
  });

  test('does not depend on the metric of the entry in transfer.csv, which the plan has', () => {
    const without = planOf('job: {evaluate: [linear, finetune]}');
    const set = planOf('job: {evaluate: [{protocol: linear, metric: meanPerClass}, finetune]}');
    expect(set.stages).toEqual(without.stages);
    expect(set.jobs).toEqual(without.jobs);
    expect([set.metrics, without.metrics]).toEqual([{ linear: 'meanPerClass' }, undefined]);
  });

  test('depends on the recipe of the entry as on the recipe of the protocol', () => {
    const own = idOf('job: {evaluate: [{name: short, protocol: linear, epochs: 20}]}', 'short');
    expect(own).toEqual(idOf('job: {evaluate: [linear], linear: {epochs: 20}}', 'linear'));
    expect(own).not.toEqual(idOf('job: {evaluate: [linear]}', 'linear'));
  });
});

test('shots of an evaluation of masks are refused, with what replaces them', () => {
  const data = 'data: {name: shapes, masks: true}';
  const shots = `job: {${data}, evaluate: [{name: dense, protocol: segment, shots: 10}]}`;
  expect(complaints(shots).join()).toContain(
    'dense has shots (10), which count the images of each class, and an image with a mask has no single class; ' +
      'replace shots by labelFraction, a fraction of the images',
  );
  const fraction = `job: {${data}, evaluate: [{name: dense, protocol: segment, labelFraction: 0.1, repeats: 2}]}`;
  expect(planOf(fraction).stages).toHaveLength(3);
});

describe('an entry', () => {
  /** Every key of every recipe, `scratch.…` included, and whether only training from scratch reads it. */
  const KEYS = EVALUATION_NAMES.flatMap((protocol) =>
    jobKeys()
      .filter((name) => name.startsWith(`${protocol}.`))
      .map((name) => ({
        protocol,
        path: name.split('.').slice(1),
        name,
        ofScratch: name.toLowerCase().includes('scratch'),
      })),
  );
  /** Values of which one is valid for each key, and another one than the default. Whole numbers fit batches of 128 and 16. */
  const VALUES = [false, true, 'lars', 'all', 'rand-m9', 8, 0.5, 0.25, [0.5, 1]];

  const nested = (path: readonly string[], value: unknown): object =>
    Object.fromEntries([[path[0]!, path.length === 1 ? value : nested(path.slice(1), value)]]);
  const valueFor = (name: string): unknown => {
    const leaf = findKey(name);
    if (leaf?.kind !== 'leaf') throw new Error(`${name} is no key`);
    if (name.endsWith('.epochs')) return 50;
    const { schema, fallback } = leaf;
    return VALUES.find((value) => value !== fallback && z.safeParse(schema, value).success);
  };
  /** The stage of the entry, whose keys stand beside a job with the given recipe. */
  const idIn = ({ protocol, ofScratch }: (typeof KEYS)[number], recipe: object, entry: object): string => {
    const job = {
      objective: ofScratch ? 'scratch' : 'masked',
      data: { name: 'shapes', masks: protocol === 'segment' },
      [protocol]: recipe,
      evaluate: [{ name: 'other', protocol, ...entry }],
    };
    return repeatsOf(planOf(JSON.stringify({ job })).jobs[0]!, 'other')[0]!;
  };

  test.each(KEYS)('unsets $name by null, and inherits it otherwise', (key) => {
    const recipe = nested(key.path, valueFor(key.name));
    expect(idIn(key, recipe, nested(key.path, null))).toBe(idIn(key, {}, {}));
    expect(idIn(key, recipe, {})).not.toBe(idIn(key, {}, {}));
  });

  const withOff = KEYS.flatMap((key) => {
    const shape: Readonly<Record<string, z.ZodType>> = EVALUATIONS[key.protocol].recipe.shape;
    const schema = shape[key.path.at(-1)!];
    const off = schema === undefined ? undefined : OFF.get(schema);
    return off === undefined ? [] : [{ ...key, off: off.value }];
  });

  test.each(withOff)('switches $name off', (key) => {
    const on = nested(key.path, valueFor(key.name));
    expect(idIn(key, on, nested(key.path, key.off))).toBe(idIn(key, {}, {}));
    // The values differ in the cell too, so that an axis of lists of entries has two cells.
    const list = (value: unknown) => [{ protocol: key.protocol, ...nested(key.path, value) }];
    const job = { objective: key.ofScratch ? 'scratch' : 'masked', [key.protocol]: on };
    const grid = { evaluate: [list(key.off), [{ protocol: key.protocol }]] };
    expect(planOf(JSON.stringify({ job, grid })).jobs).toHaveLength(2);
  });

  test('switches off for scratch what fine-tuning and scratch have on', () => {
    const on = { randAugment: 'rand-m9', scratch: { randAugment: 'rand-m5' } };
    const key = { protocol: 'finetune', ofScratch: true } as (typeof KEYS)[number];
    expect(idIn(key, on, { scratch: { randAugment: 'none' } })).toBe(idIn(key, {}, {}));
    // null only removes what scratch has of its own.
    expect(idIn(key, on, { scratch: { randAugment: null } })).toBe(idIn(key, { randAugment: 'rand-m9' }, {}));
    expect(idIn(key, on, { scratch: null })).toBe(idIn(key, { randAugment: 'rand-m9' }, {}));
  });

  test('computes shares of the epochs that hold after null', () => {
    const job = 'linear: {epochs: 50, warmupEpochs: 10%}, evaluate: [{name: a, protocol: linear, epochs: null}]';
    expect(configsOf(planOf(`job: {${job}}`), 'a')[0]!.recipe).toMatchObject({ epochs: 90, warmupEpochs: 9 });
  });

  test('overrides single keys of the recipe of its protocol', () => {
    const [config] = configsOf(
      planOf('job: {evaluate: [{name: a, protocol: finetune, mixup: 0}], finetune: {epochs: 7, cutmix: 0.5}}'),
      'a',
    );
    expect(config!.recipe).toMatchObject({ epochs: 7, cutmix: 0.5, mixup: 0 });
  });

  test('has a whole data set of its own, at the image size of the job', () => {
    const yaml =
      'job: {data: {name: shapes, imageSize: 16, trainImages: 50, labelFraction: 0.5}, evaluate: [{name: a, protocol: knn, data: {name: shapes, testImages: 30}}]}';
    const [config] = configsOf(planOf(yaml), 'a');
    expect(config!.data).toEqual({
      name: 'shapes',
      imageSize: 16,
      trainImages: 4000,
      testImages: 30,
      labelFraction: 1,
    });
  });

  test.each([
    ['{protocol: linear}', { labelFraction: 0.5 }],
    ['{protocol: linear, labelFraction: 0.2}', { labelFraction: 0.2 }],
    ['{protocol: linear, data: {name: shapes, labelFraction: 0.3}}', { labelFraction: 0.3 }],
    ['{protocol: linear, data: {name: shapes}}', { labelFraction: 0.5 }],
    ['{protocol: finetune}', { labelFraction: 0.1 }],
    ['{protocol: finetune, data: {name: shapes}}', { labelFraction: 1 }],
    ['{protocol: linear, shots: 5}', { labelFraction: 1, shots: 5 }],
    ['{protocol: linear, labelFraction: null}', { labelFraction: 0.1 }],
    ['{protocol: finetune, labelFraction: null}', { labelFraction: 0.1 }],
  ])('%s takes its labels from the most specific key', (entry, expected) => {
    const yaml = `job: {data: {labelFraction: 0.1}, linear: {labelFraction: 0.5}, evaluate: [${entry}]}`;
    const [config] = configsOf(planOf(yaml), entry.includes('linear') ? 'linear' : 'finetune');
    const { labelFraction } = config!.data;
    expect({ labelFraction, ...(config!.shots !== undefined && { shots: config!.shots }) }).toEqual(expected);
  });
});

describe('pre-training on other data', () => {
  const yaml =
    'job: {data: {name: shapes, trainImages: 50}, pretrain: {data: {name: shapes, trainImages: 90}}, ' +
    'evaluate: [linear, {name: other, protocol: knn, data: {name: shapes, trainImages: 70}}]}';

  test('changes only the data of the pre-training', () => {
    const { stages } = planOf(yaml);
    expect(stages.map(({ config }) => [config.kind, config.data.trainImages])).toEqual([
      ['pretrain', 90],
      ['linear', 50],
      ['knn', 70],
    ]);
  });

  test('has every data set opened, once, and none that no stage uses', () => {
    expect(datasetsOf(sweepOf(yaml)).map(({ trainImages }) => trainImages)).toEqual([90, 50, 70]);
    const scratch = `grid: {objective: [scratch]}\n${yaml}`;
    expect(datasetsOf(sweepOf(scratch)).map(({ trainImages }) => trainImages)).toEqual([50, 70]);
  });
});

test('names are those of the entries, in the order of the file', () => {
  const { job } = sweepOf('job: {evaluate: [knn, {name: pets, protocol: finetune}, {protocol: linear}]}').cells[0]!;
  expect(entriesOf(job).map(({ name, protocol }) => [name, protocol])).toEqual([
    ['knn', 'knn'],
    ['pets', 'finetune'],
    ['linear', 'linear'],
  ]);
});

test.each([
  [
    '[finetune, {name: Finetune, protocol: linear}]',
    'job.evaluate[1].name: evaluate[0] has the name finetune already; give each evaluation a name of its own',
  ],
  [
    '[{name: knn, protocol: linear}]',
    'job.evaluate[0].name: knn is the name of another kind of stage; choose another name',
  ],
  [
    '[{name: pretrain, protocol: linear}]',
    'job.evaluate[0].name: pretrain is the name of another kind of stage; choose another name',
  ],
  [
    '[{name: a.b, protocol: linear}]',
    'job.evaluate[0].name: expected letters, digits, "_" and "-", beginning with a letter, got "a.b"',
  ],
  ['[{name: a}]', 'job.evaluate[0].protocol is missing'],
  [
    '[{name: a, protocol: lineer}]',
    `job.evaluate[0].protocol: expected one of ${EVALUATION_NAMES.join(', ')}, got "lineer"; did you mean "linear"?`,
  ],
  ['[{protocol: knn, k: 0}]', 'job.evaluate[0].k: expected a whole number of at least 1, got 0'],
  [
    '[{protocol: knn, epochs: 5}]',
    'unknown key "epochs" in job.evaluate[0] (valid keys are k, temperature, labelFraction, protocol, name, data, shots, repeats, metric)',
  ],
  [
    '[{protocol: finetune, metric: meanPerclass}]',
    'job.evaluate[0].metric: expected one of accuracy, top5, meanPerClass, meanError, blurError, greyError, got "meanPerclass"; did you mean "meanPerClass"?',
  ],
  [
    '[knn, {protocol: finetune, metric: blurError}]',
    'evaluate[1].metric: blurError is only measured with finetune.corruptions; set it, or choose another metric',
  ],
  ['[{protocol: knn, data: {trainImages: 5}}]', 'job.evaluate[0].data.name is missing'],
  [
    '[{protocol: linear, shots: 4, labelFraction: 0.5}]',
    'job.evaluate[0].shots: shots and labelFraction exclude each other; remove one of them',
  ],
  [
    '[{protocol: linear, shots: 4, data: {name: shapes, labelFraction: 0.5}}]',
    'job.evaluate[0].shots: shots and labelFraction exclude each other; remove one of them',
  ],
  [
    '[{protocol: knn, repeats: 5}]',
    'knn draws nothing, so its 5 repeats would be the same; remove repeats, or set shots or labelFraction',
  ],
  [
    '[{protocol: linear, epochs: 3}]',
    'linear.warmupEpochs (10) must be below evaluate[0].epochs (3); lower the warm-up, for instance to 0.3',
  ],
  [
    '[{name: a, protocol: knn, data: {name: shapes, imageSize: 16}}]',
    'the data set of a has images of 16 px, and the encoder those of data.imageSize (32 px); remove its imageSize, and its images are resized',
  ],
])('evaluate: %s is refused with the reason', (entries, message) => {
  const found = complaints(`job:\n  evaluate:\n    ${entries}`);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^3:\d+ /);
  expect(found[0]).toContain(message);
});

test('a name that is of two protocols in different cells is refused', () => {
  const yaml = 'grid: {evaluate: [[{name: a, protocol: knn}], [{name: a, protocol: linear}]]}';
  expect(complaints(yaml)[0]).toContain(
    'the evaluation a is knn in some cells and linear in others; give them two names',
  );
});

test('an evaluation with two metrics in different cells is refused', () => {
  const yaml = 'grid: {evaluate: [[{name: a, protocol: knn}], [{name: a, protocol: knn, metric: top5, k: 3}]]}';
  expect(complaints(yaml)[0]).toContain(
    'the evaluation a has no metric in some cells and top5 in others, and transfer.csv has one metric of each evaluation; ' +
      'set the same one in all cells',
  );
});

test('pretrain.data of another size than the encoder is refused', () => {
  expect(complaints('job: {pretrain: {data: {name: shapes, imageSize: 64}}}')[0]).toContain(
    'pretrain.data has images of 64 px, and the encoder those of data.imageSize (32 px)',
  );
});
