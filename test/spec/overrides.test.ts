import { readFileSync } from 'node:fs';
import type { ResolvedCell } from '../../src/spec/resolve.js';
import { complaints, plan, read } from './support/sweeps.js';

const SWEEP = 'job:\n  pretrain: {epochs: 20}\ngrid:\n  objective: [masked, zoomed-in]\n  seed: [0, 1]\n';

describe('--set', () => {
  test('sets a key of every job, and every cell records it', () => {
    const { cells } = read(SWEEP, ['job.pretrain.epochs=5']);
    expect(cells.map(({ job }) => job.pretrain.epochs)).toEqual([5, 5, 5, 5]);
    expect(cells[0]!.cell.overrides).toEqual({ 'pretrain.epochs': 5 });
  });

  test('sets a key that the file does not have, in sections it does not have', () => {
    expect(read('name: a', ['job.model.decoder.depth=2']).cells[0]!.job.model.decoder.depth).toBe(2);
    expect(read('job:', ['job.seed=2']).cells[0]!.cell.seed).toBe(2);
  });

  test('keeps the other keys of a group', () => {
    expect(read(SWEEP, ['job.pretrain.batchSize=64']).cells[0]!.job.pretrain).toMatchObject({
      epochs: 20,
      batchSize: 64,
    });
  });

  test('merges a mapping into its group, key by key and group by group', () => {
    const text = 'job: {pretrain: {epochs: 20, batchSize: 16}, model: {dim: 48, decoder: {depth: 2, heads: 1}}}';
    const sets = ['job.pretrain={epochs: 3}', 'job.model={heads: 4, decoder: {depth: 3}}'];
    const [{ cell, job }] = read(text, sets).cells as [ResolvedCell];
    expect(job.pretrain).toMatchObject({ epochs: 3, batchSize: 16 });
    expect(job.model).toMatchObject({ dim: 48, heads: 4, decoder: { depth: 3, heads: 1 } });
    expect(cell.overrides).toEqual({ 'model.decoder.depth': 3, 'model.heads': 4, 'pretrain.epochs': 3 });
  });

  test('replaces a group that an earlier option has unset', () => {
    const text = 'job: {data: {name: image-folder, path: a, imageSize: 48}}';
    const sets = ['job.data=null', 'job.data={name: cifar10}'];
    expect(read(text, sets).cells[0]!.job.data).toEqual({ name: 'cifar10', imageSize: 32, labelFraction: 1 });
    expect(complaints(text, ['job.data={name: shapes}'])).toEqual([
      '1:34 unknown key "path" in job.data; the data set shapes has no path; remove the key, or unset it: ' +
        '--set job.data.path=null',
    ]);
  });

  test('replaces and adds axes', () => {
    expect(read(SWEEP, ['grid.seed=[3]', 'grid.pretrain.epochs=[5, 10]']).cells).toHaveLength(4);
    expect(read(SWEEP, ['grid.seed=7']).cells.map(({ cell }) => cell.seed)).toEqual([7, 7]);
  });

  test('sets the name', () => {
    expect(plan(SWEEP, ['name=other']).name).toBe('other');
  });

  test('keeps everything after the first = as the value', () => {
    expect(read('job: {data: {name: idx}}', ['job.data.path=/a=b']).cells[0]!.job.data).toHaveProperty('path', '/a=b');
  });

  test('is given by the last of several for one key', () => {
    expect(read(SWEEP, ['job.pretrain.epochs=5', 'job.pretrain.epochs=6']).cells[0]!.job.pretrain.epochs).toBe(6);
  });

  test('is blamed for its own value and for nothing else', () => {
    const sets = ['job.pretrain.epochs=5', 'job.pretrain.epochs=x'];
    expect(complaints('job:\n  seed: x\n  pretrain: {batchSize: x}\n', sets)).toEqual([
      '2:9 job.seed: expected a whole number of at least 0, got "x"',
      '3:25 job.pretrain.batchSize: expected a whole number of at least 1, got "x"',
      '--set job.pretrain.epochs=x: job.pretrain.epochs: expected a whole number of at least 1, got "x"',
    ]);
  });

  test('contradicts an axis of the same key', () => {
    expect(complaints(SWEEP, ['job.seed=5'])).toEqual([
      '--set job.seed=5: "seed" is an axis of the grid, which sets it in every cell; write --set grid.seed=[5]',
    ]);
  });

  test('contradicts an axis below a group that it sets', () => {
    expect(complaints('grid: {pretrain.epochs: [1, 2]}', ['job.pretrain={epochs: 5, warmupEpochs: 0}'])).toEqual([
      '--set job.pretrain={epochs: 5, warmupEpochs: 0}: "pretrain.epochs" is an axis of the grid, which sets it in ' +
        'every cell; write --set grid.pretrain.epochs=[5]',
    ]);
  });

  test('contradicts an axis of a zip and of an include', () => {
    expect(complaints('zip: {seed: [0, 1]}', ['job.seed=5'])).toEqual([
      '--set job.seed=5: "seed" is an axis of the zip, which sets it in every cell; write --set zip.seed=…',
    ]);
    expect(complaints('grid: {maskRatio: 0.5}\ninclude: [{seed: 0}]', ['job.seed=5'])).toEqual([
      '--set job.seed=5: "seed" is an axis of include[0], which sets it in its cells; write --set grid.seed=[5]',
    ]);
  });

  test('locates a problem of a merged group at its key', () => {
    const set = 'job.pretrain={epochs: 0, foo: null}';
    expect(complaints('job: {pretrain: {batchSize: 0}}', [set])).toEqual([
      '1:29 job.pretrain.batchSize: expected a whole number of at least 1, got 0',
      expect.stringMatching(/^--set job\.pretrain=.*: job\.pretrain\.epochs: expected .*, got 0$/),
      expect.stringMatching(/^--set job\.pretrain=.*: unknown key "foo" in job\.pretrain/),
    ]);
  });
});

describe('an axis that --set sets', () => {
  const seeds = (text: string, ...sets: string[]): number[] => read(text, sets).cells.map(({ cell }) => cell.seed);
  const TWO = 'grid: {objective: [masked, blurred], seed: [0, 1]}\ninclude: [{objective: scratch, seed: [0, 1]}]\n';

  test('is set in every include that has it', () => {
    expect(seeds(TWO, 'grid.seed=[7]')).toEqual([7, 7, 7]);
    const { cells } = read(TWO, ['grid.maskRatio=[0.5]']);
    expect(cells.map(({ cell }) => cell.maskRatio)).toEqual([0.5, 0.5, 0.5, 0.5, null, null]);
  });

  test('adds no cell to a sweep of includes only', () => {
    const text = 'include: [{objective: masked, seed: [0, 1]}, {objective: scratch}]';
    expect(seeds(text, 'grid.seed=[7]')).toEqual([7, 0]);
    expect(read(text, ['grid.pretrain.epochs=[5]']).cells.map(({ job }) => job.pretrain.epochs)).toEqual([5, 5, 5]);
  });

  test('leaves only seed 0 in the example of the help', () => {
    const ablation = readFileSync('experiments/ablation.yaml', 'utf8');
    expect(new Set(seeds(ablation))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(seeds(ablation, 'grid.seed=[0]')).toEqual(Array.from({ length: 9 }, () => 0));
  });

  test('can be one of a zip, in includes too', () => {
    const text = 'zip: {seed: [0, 1], maskRatio: [0.5, 0.6]}\ninclude: [{objective: scratch, zip: {seed: [0, 1]}}]';
    expect(seeds(text, 'zip.seed=[5, 6]')).toEqual([5, 6, 5, 6]);
    expect(complaints(text, ['grid.seed=[5]'])).toEqual([
      '--set grid.seed=[5]: "seed" is an axis of the zip; write --set zip.seed=…',
    ]);
  });

  test('is located at the option, in an include too', () => {
    expect(complaints(TWO, ['grid.seed=[x]'])).toEqual([
      '--set grid.seed=[x]: grid.seed[0]: expected a whole number of at least 0, got "x"',
      '--set grid.seed=[x]: include[0].seed[0]: expected a whole number of at least 0, got "x"',
    ]);
  });
});

describe('an entry of include or exclude', () => {
  const TEXT =
    'grid: {seed: [0, 1]}\ninclude:\n  - {objective: scratch, seed: [0, 1]}\n  - {objective: identity, zip: {seed: [0, 1], knn.k: [3, 4]}}\n' +
    'exclude: [{seed: 1}]\n';
  const seeds = (...sets: string[]) => read(TEXT, sets).cells.map(({ cell }) => `${cell.objective} ${cell.seed}`);

  test('is reached by its number', () => {
    expect(seeds('include[0].seed=[5, 6]')).toEqual(['masked 0', 'scratch 5', 'scratch 6', 'identity 0']);
    expect(seeds('include[1].zip.seed=[7, 8]')).toEqual(['masked 0', 'scratch 0', 'identity 7', 'identity 8']);
    expect(seeds('exclude[0].seed={from: 0, to: 0}')).toEqual(['masked 1', 'scratch 1', 'identity 1']);
    expect(
      read(TEXT, ['include[0].pretrain.clipGradient=3']).cells.map(({ job }) => job.pretrain.clipGradient),
    ).toEqual([undefined, 3, undefined]);
    expect(seeds('include[0].seed=null')).toEqual(['masked 0', 'scratch 0', 'identity 0']);
  });

  test.each([
    ['include[2].seed=1', 'include has 2 entries, and they count from 0'],
    ['exclude[1].seed=1', 'exclude has one entry, and they count from 0'],
    ['include[0].sed=1', 'unknown key "sed"; did you mean "seed"?'],
    [
      'include[0].pretrain=1',
      '"pretrain" is a group of keys; an axis is one key of it, as in include[0].pretrain.epochs',
    ],
    ['include[0].seed=x', 'include[0].seed: expected a whole number of at least 0, got "x"'],
  ])('--set %s is an error', (option, message) => {
    expect(complaints(TEXT, [option])).toEqual([`--set ${option}: ${message}`]);
  });
});

test('an axis of one of several zips is set there, in includes too', () => {
  const text =
    'zip: [{seed: [0, 1], knn.k: [1, 2]}, {pretrain.epochs: [5, 6], finetune.epochs: [5, 6]}]\n' +
    'include: [{zip: [{knn.k: [1, 2]}, {pretrain.epochs: [5, 6]}]}]';
  const { cells } = read(text, ['zip.pretrain.epochs=[8, 9]']);
  expect(new Set(cells.map(({ job }) => job.pretrain.epochs))).toEqual(new Set([8, 9]));
});

describe('null', () => {
  test('unsets a key, a group and an axis, which the cells record', () => {
    const text = 'job: {pretrain: {epochs: 5, batchSize: 16}, knn: {k: 5}, model: {dim: 48}}\ngrid: {seed: [3, 4]}';
    const sets = ['job.pretrain={epochs: null}', 'job.knn=null', 'job.model.dim=null', 'grid.seed=null'];
    const { cells } = read(text, sets);
    expect(cells).toHaveLength(1);
    expect(cells[0]!.job).toMatchObject({ seed: 0, pretrain: { epochs: 20, batchSize: 16 }, knn: { k: 20 } });
    expect(cells[0]!.job.model).not.toHaveProperty('dim');
    expect(cells[0]!.cell.overrides).toEqual({ 'knn.k': 20, 'pretrain.epochs': 20 });
  });

  test('unsets an axis in every include, a section and the name', () => {
    const text = 'name: other\ngrid: {seed: [0, 1]}\ninclude: [{objective: scratch, seed: [0, 1]}]';
    expect(read(text, ['grid.seed=null']).cells.map(({ cell }) => cell.seed)).toEqual([0]);
    expect(read(text, ['include=null']).cells).toHaveLength(2);
    expect(read(text, ['name=null']).name).toBe('sweep');
  });

  test('leaves a required key missing', () => {
    expect(complaints('job: {data: {name: idx, path: a}}', ['job.data.path=null'])).toEqual([
      expect.stringMatching(/^--set job\.data\.path=null: job\.data\.path is missing/),
    ]);
  });
});

describe('a text', () => {
  const path = (text: string): unknown =>
    read('job: {data: {name: idx}}', [`job.data.path=${text}`]).cells[0]!.job.data;

  test.each([
    'imgs/ds #1',
    'yes',
    '1e3',
    '007',
    '~',
    'a: b',
    '[x]',
    '{a}',
    '*a',
    '&b',
    '- a',
    'true',
    '2026-11-28',
    "it's",
  ])('is kept as it is written: %s', (text) => {
    expect(path(text)).toHaveProperty('path', text);
  });

  test.each([
    ['"imgs/ds #1"', 'imgs/ds #1'],
    ["'null'", 'null'],
    ['"a" and "b"', '"a" and "b"'],
    [' spaces around ', 'spaces around'],
  ])('may be in quotes: %s', (text, expected) => {
    expect(path(text)).toHaveProperty('path', expected);
  });

  test('is kept in a group and in a list', () => {
    const { cells } = read('job: {data: {name: idx}}', ['job.data={path: 007, imageSize: 28}']);
    expect(cells[0]!.job.data).toMatchObject({ path: '007', imageSize: 28 });
    const axis = read('job: {data: {name: idx}}', ['grid.data.path=[1e3, ~, "[c]"]']);
    expect(axis.cells.map(({ job }) => job.data)).toMatchObject([{ path: '1e3' }, { path: '~' }, { path: '[c]' }]);
    expect(read('job: {data: {name: idx}}', ['grid.data.path=a #1']).cells[0]!.job.data).toHaveProperty('path', 'a #1');
  });

  test('is the name of a sweep', () => {
    expect(read('name: a', ['name=007']).name).toBe('007');
  });

  test('is no number if a number is expected', () => {
    expect(read('name: a', ['job.seed=007']).cells[0]!.cell.seed).toBe(7);
    expect(read('name: a', ['job.pretrain.baseLearningRate=1e-3']).cells[0]!.job.pretrain.baseLearningRate).toBe(0.001);
    expect(complaints('name: a', ['job.seed="7"'])).toEqual([
      '--set job.seed="7": job.seed: expected a whole number of at least 0, got "7"',
    ]);
  });
});

describe('a --set that cannot be', () => {
  test.each([
    [
      'job.pretrain.epoch=5',
      /^--set job\.pretrain\.epoch=5: unknown key "job\.pretrain\.epoch"; did you mean "job\.pretrain\.epochs"\? \(valid keys in job\.pretrain are epochs, batchSize, /,
    ],
    [
      'pretrain.epochs=5',
      /: unknown key "pretrain\.epochs"; did you mean "job\.pretrain\.epochs"\? \(valid keys are job\.…, grid\.…, zip\.…, variants\.…, seeds\.…, include\[0\]\.…, exclude\[0\]\.… and name\)$/,
    ],
    [
      'job.seed.x=5',
      /: unknown key "job\.seed\.x"; did you mean "job\.seed"\? \("job\.seed" has no keys of its own\)$/,
    ],
    ['grid.pretrain=5', /: "pretrain" is a group of keys; an axis is one key of it, as in grid\.pretrain\.epochs$/],
    ['grid.sed=5', /: unknown key "grid\.sed"; did you mean "grid\.seed"\?/],
    ['job={}', /: "job" is a whole section; set one key of it, as in job\.seed, or unset it: job=null$/],
    [
      'exclude.seed=[1]',
      /: --set reaches job\.…, grid\.…, zip\.…, variants\.…, seeds\.…, include\[0\]\.…, exclude\[0\]\.… and name; edit the file to change exclude, or unset it: exclude=null$/,
    ],
    ['job.model={}', /: an empty mapping sets no key; write job\.model=null to unset what the file sets there$/],
    ['job.seed', /: expected KEY=VALUE, as in --set job\.pretrain\.epochs=5$/],
    ['=5', /: expected KEY=VALUE, as in --set job\.pretrain\.epochs=5$/],
    ['job.seed=', /: no value after job\.seed=$/],
    ['job.seed=  ', /: no value after job\.seed=$/],
    ['job.seed=[', /: the value is not valid YAML: unexpected end of the stream/],
    ['job.seed=x', /^--set job\.seed=x: job\.seed: expected a whole number of at least 0, got "x"$/],
    ['job.model={dimm: 3}', /: unknown key "dimm" in job\.model; did you mean "dim"\?/],
    ['job.__proto__.x=1', /: unknown key "job\.__proto__\.x"/],
    ['name=a b', /: name: expected letters, digits/],
  ])('%s', (option, message) => {
    const found = complaints('name: a', [option]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
    expect(found[0]).toMatch(/^--set /);
  });
});

test('a data path that is set is no part of any cell', () => {
  const text = 'job: { data: { name: image-folder, path: a } }\n';
  const { cells } = read(text, ['job.data.path=elsewhere', 'job.pretrain.epochs=30']);
  expect(cells[0]!.job.data).toMatchObject({ path: 'elsewhere' });
  expect(cells[0]!.cell.overrides).toStrictEqual({ 'pretrain.epochs': 30 });
});
