import { describeCell } from '../../src/spec/cells.js';
import { axesOf } from '../../src/spec/axes.js';
import { buildPlan } from '../../src/spec/plan.js';
import { formatRemark, remarksOn } from '../../src/spec/remarks.js';
import { describeStage } from '../../src/spec/describe.js';
import { complaints, plan, read } from './support/sweeps.js';

const SIZES = 'variants: {size: {small: {model: {dim: 48, heads: 3}}, large: {model: {dim: 96, depth: 6}, seed: 4}}}\n';

const cellsOf = (text: string, ...sets: string[]): string[] =>
  read(text, sets).cells.map(({ cell }) => describeCell(cell));

describe('variants', () => {
  test('are an axis of named groups of keys over job', () => {
    const { cells } = read(`job: {model: {mlpRatio: 2}, pretrain: {epochs: 5}}\n${SIZES}`);
    expect(cells.map(({ cell }) => describeCell(cell))).toEqual([
      'masked, seed 0, size small',
      'masked, seed 4, size large',
    ]);
    expect(cells.map(({ job }) => job.model)).toMatchObject([
      { mlpRatio: 2, dim: 48, heads: 3 },
      { mlpRatio: 2, dim: 96, depth: 6 },
    ]);
    expect(cells[1]!.job.pretrain.epochs).toBe(5);
  });

  test('have the stages of the keys that they name', () => {
    const written = plan('include: [{model.dim: 48, model.heads: 3}, {model.dim: 96, model.depth: 6, seed: 4}]');
    expect(plan(SIZES).stages).toEqual(written.stages);
  });

  test('of several axes are combined', () => {
    const text = 'variants: {size: {s: {model: {dim: 48}}, l: {}}, length: {short: {pretrain: {epochs: 5}}, long:}}';
    expect(cellsOf(text)).toEqual([
      'masked, seed 0, length short, size s',
      'masked, seed 0, length short, size l',
      'masked, seed 0, length long, size s',
      'masked, seed 0, length long, size l',
    ]);
  });

  test('are in every grid, unless it names some', () => {
    const text = `${SIZES}grid: {objective: [masked, blurred]}\ninclude: [{objective: scratch, size: small}, {objective: identity}]`;
    expect(cellsOf(text)).toEqual([
      'masked, seed 0, size small',
      'masked, seed 4, size large',
      'blurred, seed 0, size small',
      'blurred, seed 4, size large',
      'scratch, seed 0, size small',
      'identity, seed 0, size small',
      'identity, seed 4, size large',
    ]);
  });

  test('can be zipped with other axes and excluded, by their names and by the keys that they set', () => {
    const zipped = `${SIZES}zip: {size: [large, small], pretrain.batchSize: [32, 64]}\n`;
    expect(cellsOf(zipped)).toEqual([
      'masked, seed 4, pretrain.batchSize 32, size large',
      'masked, seed 0, pretrain.batchSize 64, size small',
    ]);
    const grid = `${SIZES}grid: {objective: [masked, blurred]}\n`;
    expect(cellsOf(`${grid}exclude: [{size: large, objective: blurred}]`)).toHaveLength(3);
    expect(cellsOf(`${grid}exclude: [{model.dim: 96}]`)).toEqual([
      'masked, seed 0, size small',
      'blurred, seed 0, size small',
    ]);
  });

  test('name the axis and the stages of the plan', () => {
    const planned = plan(SIZES);
    expect(axesOf(planned)).toContainEqual({ name: 'size', values: ['small', 'large'] });
    expect(planned.stages.map((stage) => describeStage(planned, stage))[0]).toBe('pretrain masked size=small seed 0');
  });

  test('unset keys by null', () => {
    const { cells } = read(
      'job: {pretrain: {clipGradient: 1}, model: {dim: 48}}\n' +
        'variants: {v: {a: {pretrain: {clipGradient: null}}, b: {model: null}, c: {model: {dim: null}}}}',
    );
    expect(cells.map(({ job }) => job.pretrain.clipGradient)).toEqual([undefined, 1, 1]);
    expect(cells.map(({ job }) => job.model.dim)).toEqual([48, undefined, undefined]);
  });

  test('are reached by --set', () => {
    const dims = (...sets: string[]) => read(SIZES, sets).cells.map(({ job }) => job.model.dim);
    expect(dims('grid.size=[small]')).toEqual([48]);
    expect(dims('grid.size=large')).toEqual([96]);
    expect(dims('variants.size.small.model.dim=24')).toEqual([24, 96]);
    expect(dims('variants.size.small={model: {dim: 36}, seed: 2}')).toEqual([36, 96]);
    expect(dims('variants.size.small.model=null')).toEqual([undefined, 96]);
    expect(dims('variants.size.large=null')).toEqual([48]);
    expect(dims('variants=null')).toEqual([undefined]);
    expect(
      cellsOf(`${SIZES}grid: {seed: [0]}\ninclude: [{objective: scratch}]`.replace(', seed: 4', ''), 'grid.size=small'),
    ).toEqual(['masked, seed 0, size small', 'scratch, seed 0, size small']);
  });
});

describe('a remark names', () => {
  const remarks = (text: string): string[] => {
    const sweep = read(text);
    return remarksOn(
      sweep,
      buildPlan(sweep, ({ name }) => name),
    ).map(formatRemark);
  };

  test('keys of a variant on which no stage of its cells depends', () => {
    const text =
      'variants:\n  v:\n    a: {seed: 1}\n    b:\n      degradation: {blurred: {kernelSize: 7}}\n      pretrain: {epochs: 5}\n' +
      'grid: {objective: [masked, zoomed-in]}\n';
    expect(remarks(text)).toEqual([
      'sweep.yaml:5: variants.v.b.degradation.blurred.kernelSize has no effect: no stage of its cells depends on it',
    ]);
    expect(remarks(text.replace('masked', 'blurred'))).toEqual([]);
  });

  test('axes whose variants give the same jobs, and variants that do', () => {
    expect(remarks('variants: {v: {a: {}, b: {}}}')).toEqual([
      'sweep.yaml:1: the axis v has no effect: all of its 2 values give the same jobs',
    ]);
    expect(remarks('variants: {v: {a: {}, b: {}, c: {seed: 1}}}')).toEqual([
      'sweep.yaml:1: the axis v has values that give the same jobs: "a", "b"',
    ]);
  });

  test('excludes of variants that match no cell', () => {
    expect(remarks(`${SIZES}grid: {objective: [masked, blurred]}\nexclude: [{size: small, seed: 4}]`)).toEqual([
      'sweep.yaml:3: exclude[0] matches no cell; correct it or remove it',
    ]);
  });
});

describe('an error of variants', () => {
  test.each([
    [
      'variants: {small: {model: {dim: 48}}}',
      '1:20 "model" is a key of a job, and variants.small holds the names of variants; name an axis above them: ' +
        'variants: {size: {small: {model: …}}}',
    ],
    [
      'variants: {size: {small: {modle: {dim: 48}}}}',
      expect.stringMatching(/^1:27 unknown key "modle" in variants\.size\.small; did you mean "model"\?/),
    ],
    [
      'variants: {size: {small: {model.dim: 48}}}',
      '1:27 unknown key "model.dim" in variants.size.small; in a variant, keys nest: model: {dim: …}',
    ],
    [
      'variants: {size: {small: {model: {dim: x}}}}',
      '1:40 variants.size.small.model.dim: expected a whole number of at least 1, got "x"',
    ],
    [
      'variants: {seed: {a: {}}}',
      '1:12 "seed" is a key of a spec already; choose another name for this axis of variants',
    ],
    [
      'variants: {a.b: {a: {}}}',
      '1:12 an axis of variants is named by letters, digits, "_" and "-", beginning with a letter, not "a.b"',
    ],
    [
      'variants: {size: {1: {}}}',
      '1:19 a variant is named by letters, digits, ".", "_" and "-", beginning with a letter, not "1"',
    ],
    ['variants: {size: {}}', '1:12 the axis size has no variants; name at least one'],
    ['variants: {size: [small]}', '1:18 variants.size: expected a mapping of keys, got ["small"]'],
    [
      `${SIZES}grid: {size: [smal]}`,
      '2:15 grid.size[0]: expected one of small, large, got "smal"; did you mean "small"?',
    ],
    [`${SIZES}exclude: [{size: tiny}]`, '2:18 exclude[0].size: expected one of small, large, got "tiny"'],
    [`${SIZES}grid: {siz: [small]}`, expect.stringMatching(/^2:8 unknown key "siz" in grid; did you mean "size"\?/)],
    [
      `${SIZES}grid: {model.dim: [48]}`,
      '2:8 variants of size and the axis model.dim both set model.dim; remove it from one of them, or name in grid only ' +
        'variants that do not set it',
    ],
    [
      'variants: {size: {a: {seed: 1}, b: {}}, other: {c: {seed: 2}}}',
      '1:12 variants of other and variants of size both set seed; remove it from one of them, or name in grid only ' +
        'variants that do not set it',
    ],
    [
      'variants: {size: {a: {pretrain: {epochs: 5, warmupEpochs: 6}}}}',
      '1:42 pretrain.warmupEpochs (6) must be below pretrain.epochs (5); lower the warm-up, for instance to 0.5',
    ],
  ])('%s', (text, message) => {
    expect(complaints(text)).toEqual([message]);
  });

  test('is none if the grid names variants that do not set the axis', () => {
    expect(cellsOf(`${SIZES}grid: {seed: [1, 2], size: small}`)).toHaveLength(2);
  });

  test.each([
    ['variants.siz.small.seed=1', 'unknown axis of variants "siz"; did you mean "size"? (axes of variants are size)'],
    [
      'variants.size.smal.seed=1',
      'unknown variant "smal"; did you mean "small"? (the variants of size are small, large)',
    ],
    ['variants.size.small.sed=1', 'unknown key "sed" in variants.size.small; did you mean "seed"?'],
    ['grid.size=[tiny]', 'grid.size[0]: expected one of small, large, got "tiny"'],
    [
      'job.model.dim=5',
      '"model.dim" is set by variants.size.small, which comes before job; write --set variants.size.small.model.dim=5',
    ],
  ])('--set %s', (option, message) => {
    expect(complaints(SIZES, [option])).toEqual([`--set ${option}: ${message}`]);
  });
});
