import { describeCell } from '../../src/spec/cells.js';
import { formatRemark, remarksOn } from '../../src/spec/remarks.js';
import { buildPlan } from '../../src/spec/plan.js';
import { complaints, plan, read, type Files } from './support/sweeps.js';

const BASE = `name: base
description: of the base
job: { pretrain: { epochs: 20, clipGradient: 3 }, knn: { k: 5 } }
grid:
  objective: [masked, blurred]
  seed: [0, 1, 2]
include:
  - { objective: scratch, seed: [0, 1, 2] }
`;
const files: Files = { 'base.yaml': BASE };
const cellsOf = (text: string, ...sets: string[]): string[] =>
  read(text, sets, files).cells.map(({ cell }) => describeCell(cell));

describe('a spec that extends another', () => {
  test('is the sweep of that other, by its own name', () => {
    const own = plan('extends: base.yaml', [], files);
    const { description, ...base } = plan(BASE);
    expect(description).toBe('of the base');
    expect(own).toEqual({ ...base, name: 'sweep' });
  });

  test('merges groups, and replaces lists and values', () => {
    const text = 'extends: base.yaml\njob: {pretrain: {epochs: 5}}\ngrid: {seed: [7]}\ninclude: []';
    const { cells } = read(text, [], files);
    expect(cells.map(({ cell }) => describeCell(cell))).toEqual(['masked, seed 7', 'blurred, seed 7']);
    expect(cells[0]!.job).toMatchObject({ pretrain: { epochs: 5, clipGradient: 3 }, knn: { k: 5 } });
  });

  test('unsets keys, axes and sections by null', () => {
    const text =
      'extends: base.yaml\njob: {pretrain: {clipGradient: null}, knn: null}\ngrid: {seed: null}\ninclude: null';
    const { cells } = read(text, [], files);
    expect(cells.map(({ cell }) => describeCell(cell))).toEqual(['masked, seed 0', 'blurred, seed 0']);
    expect(cells[0]!.job).toMatchObject({ pretrain: { epochs: 20 }, knn: { k: 20 } });
    expect(cells[0]!.job.pretrain).not.toHaveProperty('clipGradient');
  });

  test('replaces a range and an axis that the base nests', () => {
    const base = 'grid: {pretrain: {epochs: {from: 10, to: 30, step: 10}}, seed: 1}';
    const { cells } = read('extends: base.yaml\ngrid: {pretrain.epochs: {from: 4, to: 5}}', [], { 'base.yaml': base });
    expect(cells.map(({ job }) => job.pretrain.epochs)).toEqual([4, 5]);
  });

  test('adds, changes and removes variants', () => {
    const base = 'variants: {size: {s: {model: {dim: 48}}, m: {model: {dim: 96}}}}';
    const text =
      'extends: base.yaml\nvariants: {size: {s: {seed: 3, model: {dim: 24}}, m: null, l: {model: {depth: null}}}}';
    const { cells } = read(text, [], { 'base.yaml': base });
    expect(cells.map(({ cell, job }) => [describeCell(cell), job.model.dim])).toEqual([
      ['masked, seed 3, size s', 24],
      ['masked, seed 0, size l', undefined],
    ]);
  });

  test('may extend one that extends another, each path relative to its own file', () => {
    const chain = {
      'shared/paper.yaml': 'extends: ../recipes/base.yaml\njob: {pretrain: {epochs: 30}}',
      'recipes/base.yaml': 'job: {pretrain: {epochs: 10, batchSize: 64}}',
    };
    const [cell] = read('extends: shared/paper.yaml', [], chain).cells;
    expect(cell!.job.pretrain).toMatchObject({ epochs: 30, batchSize: 64 });
  });

  test('is reached by --set', () => {
    expect(cellsOf('extends: base.yaml', 'grid.seed=[9]')).toEqual([
      'masked, seed 9',
      'blurred, seed 9',
      'scratch, seed 9',
    ]);
  });

  test('is remarked on if it unsets a key that the base does not set', () => {
    const sweep = read('extends: base.yaml\njob:\n  pretrain: {batchSize: null}\nzip: null', [], files);
    expect(
      remarksOn(
        sweep,
        buildPlan(sweep, () => ''),
      ).map(formatRemark),
    ).toEqual([
      'sweep.yaml:3: this key is not set, so there is nothing to unset',
      'sweep.yaml:4: this key is not set, so there is nothing to unset',
    ]);
  });
});

describe('a problem', () => {
  test('is located in the file that holds the value', () => {
    const base = 'job:\n  seed: x\n  pretrain: {epochs: 5, batchSize: 0}\ngrid: {maskRatio: [2]}';
    const own = 'extends: base.yaml\njob: {pretrain: {epochs: 0}}\ngrid: {objective: [maskd]}';
    const found = complaints(own, ['job.knn.k=0'], { 'base.yaml': base });
    expect(found).toEqual([
      'base.yaml:2:9 job.seed: expected a whole number of at least 0, got "x"',
      'base.yaml:3:36 job.pretrain.batchSize: expected a whole number of at least 1, got 0',
      'base.yaml:4:20 grid.maskRatio[0]: expected a number of at least 0 and below 1, got 2',
      '2:26 job.pretrain.epochs: expected a whole number of at least 1, got 0',
      expect.stringMatching(/^3:20 grid\.objective\[0\]: unknown objective "maskd"; did you mean "masked"\?/),
      '--set job.knn.k=0: job.knn.k: expected a whole number of at least 1, got 0',
    ]);
  });

  test('of several keys is located at one of them', () => {
    expect(complaints('extends: base.yaml\njob: {pretrain: {epochs: 1}}', [], files)[0]).toMatch(
      /^2:26 pretrain\.warmupEpochs \(2\) must be below pretrain\.epochs \(1\)/,
    );
  });

  test('of the YAML of the base names the base', () => {
    expect(complaints('extends: base.yaml', [], { 'base.yaml': 'a: [' })[0]).toMatch(/^base\.yaml:1:/);
  });

  test.each([
    ['extends: 3', '1:10 extends: expected the path of a spec file, such as base.yaml, got 3'],
    ['extends:', '1:1 extends: expected the path of a spec file, such as base.yaml, got nothing'],
    [
      'extends: https://example.org/base.yaml',
      '1:10 extends: https://example.org/base.yaml is an address, and only files are read; save it as a file, and write its path',
    ],
    [
      'name: a\nextends: bas.yaml',
      '2:10 extends: cannot read bas.yaml: no such file; the path is relative to the folder of sweep.yaml',
    ],
    [
      'extends: sweep.yaml',
      '1:10 extends: these files extend each other in a circle: sweep.yaml extends sweep.yaml; remove one extends',
    ],
    [
      'extends: a.yaml',
      'b.yaml:1:10 extends: these files extend each other in a circle: a.yaml extends b.yaml extends a.yaml; remove one extends',
    ],
  ])('%s', (text, message) => {
    expect(complaints(text, [], { 'a.yaml': 'extends: b.yaml', 'b.yaml': 'extends: ./a.yaml' })).toEqual([message]);
  });
});
