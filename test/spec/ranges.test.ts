import { valuesOfRange, type Range } from '../../src/spec/ranges.js';
import { complaints, plan, read } from './support/sweeps.js';

const values = (range: Partial<Range> & { from: number; to: number }, whole = false) =>
  valuesOfRange({ scale: 'linear', ...range }, whole);

describe('a range', () => {
  test('goes from its first to its last value in steps of 1', () => {
    expect(values({ from: 0, to: 4 })).toEqual([0, 1, 2, 3, 4]);
    expect(values({ from: 3, to: 3 })).toEqual([3]);
  });

  test('of decimal steps has exact decimals', () => {
    // In binary, 0.1 + 2 × 0.1 is 0.30000000000000004.
    expect(values({ from: 0.1, to: 0.9, step: 0.1 })).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    expect(values({ from: -0.3, to: 0.3, step: 0.15 })).toEqual([-0.3, -0.15, 0, 0.15, 0.3]);
  });

  test('of a count has exact values if they are short, and rounds the others', () => {
    expect(values({ from: 0, to: 1, count: 5 })).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(values({ from: 0, to: 1, count: 4 })).toEqual([0, 0.333, 0.667, 1]);
    const sixtyFourths = values({ from: 0, to: 1, count: 65 });
    expect(sixtyFourths).toEqual(Array.from({ length: 65 }, (_, index) => index / 64));
  });

  test('on a log scale has exact powers of ten, and three digits between them', () => {
    const scale = 'log';
    expect(values({ from: 1e-4, to: 1e-2, count: 5, scale })).toEqual([1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2]);
    expect(values({ from: 1e-8, to: 1, count: 9, scale })).toEqual([1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]);
    expect(values({ from: 5e-4, to: 8e-3, count: 5, scale })).toEqual([5e-4, 1e-3, 2e-3, 4e-3, 8e-3]);
  });

  test('on a log scale keeps as many digits as neighbours need', () => {
    // 1.001^(1/2) = 1.00049988
    expect(values({ from: 1, to: 1.001, count: 3, scale: 'log' })).toEqual([1, 1.0005, 1.001]);
  });

  test('on a log scale rounds to whole numbers for keys that are whole', () => {
    expect(values({ from: 10, to: 1000, count: 4, scale: 'log' }, true)).toEqual([10, 46, 215, 1000]);
    expect(values({ from: 1, to: 3, count: 5, scale: 'log' }, true)).toEqual({
      problem: 'this range rounds to the same values (1, 1, 2, 2, 3); lower count',
    });
  });

  test('keeps its ends as they are written', () => {
    expect(values({ from: 0.1234567, to: 0.7654321, count: 3 })).toEqual([0.1234567, 0.444, 0.7654321]);
  });
});

describe('in a sweep, a range', () => {
  test('is the list of its values, in grids, zips, includes and excludes', () => {
    const list = plan(
      'grid: {seed: [0, 1, 2, 3]}\ninclude: [{objective: scratch, zip: {seed: [5, 6], maskRatio: [0.5, 0.6]}}]\n' +
        'exclude: [{seed: [1, 2]}]',
    );
    const range = plan(
      'grid: {seed: {from: 0, to: 3}}\n' +
        'include: [{objective: scratch, zip: {seed: {from: 5, to: 6}, maskRatio: {from: 0.5, to: 0.6, count: 2}}}]\n' +
        'exclude: [{seed: {from: 1, to: 2}}]',
    );
    expect(range).toEqual(list);
  });

  test('is set by --set', () => {
    expect(read('grid: {seed: [0, 1]}', ['grid.seed={from: 2, to: 4}']).cells.map(({ cell }) => cell.seed)).toEqual([
      2, 3, 4,
    ]);
  });

  test.each([
    ['seed: {from: 4, to: 0}', 'from (4) is above to (0); exchange them'],
    ['seed: {from: 0, to: 4, step: 3}', 'steps of 3 from 0 do not end at 4; write to: 3, or choose another step'],
    ['seed: {from: 0, to: 4, step: 9}', 'steps of 9 from 0 do not end at 4; choose a smaller step, or count: …'],
    [
      'seed: {from: 0, to: 4, count: 1}',
      'count: 1 is a single value, but from (0) and to (4) differ; raise count, or write one value',
    ],
    ['seed: {from: 0, to: 4, count: 2, step: 1}', 'a range has a step or a count; remove one of them'],
    ['seed: {from: 0, to: 4, count: 4}', 'the range gives 1.33; expected a whole number of at least 0'],
    ['maskRatio: {from: 0, to: 1, count: 3}', 'the range gives 1; expected a number of at least 0 and below 1'],
    [
      'pretrain.baseLearningRate: {from: 0, to: 1, count: 3, scale: log}',
      'a log-spaced range begins above 0, and from is 0; raise from, or remove scale: log',
    ],
    [
      'pretrain.baseLearningRate: {from: 0.1, to: 1, scale: log}',
      'a log-spaced range has a count; add one, such as count: 5',
    ],
    [
      'pretrain.baseLearningRate: {from: 0.1, to: 1, step: 0.1, scale: log}',
      'a log-spaced range has no step; write a count, such as count: 5',
    ],
    ['seed: {from: 0, to: 1.0e+9}', 'this range has 1000000001 values; the most is 20000'],
  ])('%s is an error', (axis, message) => {
    const key = axis.split(':')[0]!;
    expect(complaints(`grid:\n  ${axis}`)).toEqual([`2:${5 + key.length} grid.${key}: ${message}`]);
  });

  test('names the keys that it has, and the values that they expect', () => {
    expect(complaints('grid: {seed: {from: 0, too: 4}}')).toEqual([
      '1:14 grid.seed.to is missing (The last value)',
      '1:24 unknown key "too" in grid.seed; did you mean "to"? (valid keys are from, to, step, count, scale)',
    ]);
    expect(complaints('grid: {seed: {from: a, to: 4, scale: lg}}')).toEqual([
      '1:21 grid.seed.from: expected a number, got "a"',
      '1:38 grid.seed.scale: expected one of linear, log, got "lg"; did you mean "log"?',
    ]);
  });

  test('stands for numbers only', () => {
    expect(complaints('grid: {objective: {from: a, to: b}}')[0]).toMatch(/^1:19 grid\.objective: expected text, got/);
  });
});
