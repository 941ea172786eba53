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

  test('replaces a whole group', () => {
    const { cells } = read(SWEEP, ['job.pretrain={batchSize: 64}', 'job.data={name: cifar10, imageSize: 64}']);
    expect(cells[0]!.job.pretrain).toMatchObject({ epochs: 20, batchSize: 64 });
    expect(cells[0]!.job.data).toMatchObject({ name: 'cifar10', imageSize: 64 });
    expect(Object.keys(cells[0]!.cell.overrides)).toEqual(['data.imageSize', 'data.name', 'pretrain.batchSize']);
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
      '--set job.seed=5: "seed" is an axis in zip, which sets it in its cells; edit the file',
    ]);
    expect(complaints('grid: {maskRatio: 0.5}\ninclude: [{seed: 0}]', ['job.seed=5'])).toEqual([
      '--set job.seed=5: "seed" is an axis in include[0], which sets it in its cells; edit the file',
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
      /: unknown key "pretrain\.epochs"; did you mean "job\.pretrain\.epochs"\? \(valid keys are job\.…, grid\.… and name\)$/,
    ],
    [
      'job.seed.x=5',
      /: unknown key "job\.seed\.x"; did you mean "job\.seed"\? \("job\.seed" has no keys of its own\)$/,
    ],
    ['grid.pretrain=5', /: "pretrain" is a group of keys; an axis is one key of it, as in grid\.pretrain\.epochs$/],
    ['grid.sed=5', /: unknown key "grid\.sed"; did you mean "grid\.seed"\?/],
    ['job={}', /: "job" is a whole section; set one key of it, as in job\.seed$/],
    ['zip.seed=[1]', /: --set reaches job\.…, grid\.… and name; edit the file to change zip$/],
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
