/** `data.validation` in a spec: its forms, its checks, and what it changes in the stages of a plan. */
import { validationKey } from '../../src/data/validation.js';
import type { Plan, Stage } from '../../src/spec/stages.js';
import { complaints, plan } from './support/sweeps.js';

const JOB = (data: string): string =>
  `job: { data: ${data}, evaluate: [finetune, knn] }\ngrid: { objective: [scratch, masked] }`;
const stagesOf = (data: string, of: (stage: Stage) => boolean): Stage[] => plan(JOB(data)).stages.filter(of);
const pretraining = ({ config }: Stage): boolean => config.kind === 'pretrain';

describe('the forms of data.validation', () => {
  it.each([
    [0.1, { fraction: 0.1, splitSeed: 0 }],
    [{ fraction: 0.1 }, { fraction: 0.1, splitSeed: 0 }],
    [
      { images: 50, splitSeed: 3 },
      { images: 50, splitSeed: 3 },
    ],
    [{ folder: 'val' }, { folder: 'val' }],
    [
      { fraction: 0.5, pretrain: 'exclude' },
      { fraction: 0.5, splitSeed: 0 },
    ],
    [
      { fraction: 0.5, pretrain: 'include' },
      { fraction: 0.5, splitSeed: 0, pretrain: 'include' },
    ],
  ])('%j', (given, expected) => {
    const parsed = validationKey.parse(given);
    expect(parsed).toEqual(expected);
    // A sweep's defaults are parsed once, and every job again.
    expect(validationKey.parse(parsed)).toEqual(expected);
  });
});

describe('a broken data.validation is reported with its line', () => {
  it.each([
    ['1.5', '1:28 data.validation: expected a number above 0 and below 1, got 1.5'],
    ['{ fractoin: 0.1 }', '1:30 unknown key "fractoin" in data.validation; did you mean "fraction"?'],
    ['{ images: 0.5 }', '1:38 data.validation.images: expected a whole number of at least 1, got 0.5'],
    ['{ fraction: 0.1, images: 5 }', '1:28 data.validation: expected one of fraction, images and folder, got'],
    ['{}', '1:28 data.validation: expected one of fraction, images and folder, got {}'],
    ['{ folder: val, splitSeed: 1 }', '1:28 data.validation: expected no splitSeed with folder'],
    ['{ folder: ../val }', '1:38 data.validation.folder: expected a folder below data.path, got "../val"'],
    ['{ folder: val }', '1:28 the data set shapes has no folders'],
  ])('%s', (value, message) => {
    const found = complaints(`job: { data: { validation: ${value} } }`);
    expect(found).toHaveLength(1);
    expect(found[0]!.replace('job.data', 'data')).toContain(message);
  });

  it('as an axis too', () => {
    expect(complaints('grid:\n  data.validation: [0.1, { image: 5 }]')[0]).toContain('2:28 unknown key "image"');
  });
});

describe('the stages of a plan with data.validation', () => {
  const ids = ({ stages }: Plan): string[] => stages.map(({ id }) => id);

  it('are other stages than without, and the seed of the split is part of their identity', () => {
    const [without, withIt, other] = [
      '{}',
      '{ validation: 0.1 }',
      '{ validation: { fraction: 0.1, splitSeed: 1 } }',
    ].map((data) => new Set(ids(plan(JOB(data)))));
    expect([...withIt!].filter((id) => without!.has(id) || other!.has(id))).toEqual([]);
  });

  it('share their pre-training with the plan without, if it includes the images', () => {
    const included = '{ validation: { fraction: 0.1, pretrain: include } }';
    expect(stagesOf(included, pretraining).map(({ id }) => id)).toEqual(
      stagesOf('{}', pretraining).map(({ id }) => id),
    );
    const fromScratch = ({ config, parent }: Stage): boolean => config.kind !== 'pretrain' && parent === null;
    // The images that pre-training uses are no matter to a model that has none.
    expect(stagesOf(included, fromScratch)).toEqual(stagesOf('{ validation: 0.1 }', fromScratch));
  });

  it('measure on the test set', () => {
    for (const { config } of plan(JOB('{ validation: 0.1 }')).stages) expect(config).not.toHaveProperty('split');
  });

  it('do not depend on the name of the folder of validation images', () => {
    const data = (folder: string): string => `{ name: image-folder, path: images, validation: { folder: ${folder} } }`;
    expect(ids(plan(JOB(data('val'))))).toEqual(ids(plan(JOB(data('held-out')))));
  });
});
