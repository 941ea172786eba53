import { UsageError } from '../../src/common/errors.js';
import { SpecError, formatPath, show, type Location } from '../../src/spec/problems.js';
import { complaints, problemsOf, read } from './support/sweeps.js';
import { EVALUATION_NAMES } from '../../src/stages/index.js';

const PROTOCOLS = EVALUATION_NAMES.join(', ');

const AXES_HELP =
  '(an axis is objective, maskRatio, misalignment, stylePreservation, seed, or any key of a job by its dotted name, ' +
  'such as pretrain.epochs)';

describe('SpecError', () => {
  const at = (line: number, column: number, text: string): Location => ({
    kind: 'file',
    file: 'a.yaml',
    line,
    column,
    text,
  });

  test('is a usage error', () => {
    expect(new SpecError([])).toBeInstanceOf(UsageError);
  });

  test('prints each problem with its line and a caret, in the order of the file, options last', () => {
    const error = new SpecError([
      { path: 'b', location: { kind: 'option', option: '--set b=2' }, message: 'third' },
      { path: 'b', location: at(12, 3, '  b: 2'), message: 'second' },
      { path: 'a', location: at(1, 4, 'a: 1'), message: 'first' },
    ]);
    expect(error.message).toBe(
      [
        'a.yaml:1:4: first',
        '  1 | a: 1',
        '    |    ^',
        '',
        'a.yaml:12:3: second',
        '  12 |   b: 2',
        '     |   ^',
        '',
        '--set b=2: third',
      ].join('\n'),
    );
    expect(error.problems.map(({ message }) => message)).toEqual(['first', 'second', 'third']);
  });

  test('keeps tabs before the caret', () => {
    expect(new SpecError([{ path: '', location: at(1, 4, '{\ta, b'), message: 'm' }]).message).toBe(
      'a.yaml:1:4: m\n  1 | {\ta, b\n    |  \t ^',
    );
  });

  test('shows a window of a long line with the caret under its character', () => {
    const text = `${'x'.repeat(150)}!${'y'.repeat(150)}`;
    const [, line, caret] = new SpecError([{ path: '', location: at(1, 151, text), message: 'm' }]).message.split('\n');
    expect(line!.length).toBe(6 + 100);
    expect(line![caret!.indexOf('^')]).toBe('!');
  });

  test('prints twenty problems and counts the rest', () => {
    const many = Array.from({ length: 23 }, (_, i) => ({ path: '', location: at(i + 1, 1, 'x'), message: 'm' }));
    expect(new SpecError(many).message).toMatch(/and 3 more problems$/);
    expect(new SpecError(many.slice(0, 20)).message).toMatch(/^a\.yaml:20:1: m\n +20 \| x\n.*\^$/m);
    expect(new SpecError(many.slice(0, 20)).message).not.toContain('more');
  });
});

test('paths and values read as in the file', () => {
  expect(formatPath(['grid', 'pretrain.epochs', 1])).toBe('grid.pretrain.epochs[1]');
  expect([null, 'a', 0.5, true, [1, 'b'], { a: 1 }].map(show)).toEqual([
    'nothing',
    '"a"',
    '0.5',
    'true',
    '[1,"b"]',
    '{"a":1}',
  ]);
  expect(show('x'.repeat(100))).toHaveLength(59);
  expect(show(Array.from({ length: 100 }, () => 'x'))).toBe('a list');
});

describe('unknown keys', () => {
  test('at the top name the valid ones and the nearest', () => {
    expect(complaints('gird: {seed: 1}')).toEqual([
      '1:1 unknown key "gird"; did you mean "grid"? (valid keys are extends, name, description, job, variants, grid, zip, include, select, exclude, seeds, compare)',
    ]);
  });

  test('in a group name those of the group', () => {
    expect(complaints('job:\n  knn: {tempreture: 3}')).toEqual([
      '2:9 unknown key "tempreture" in job.knn; did you mean "temperature"? (valid keys are k, temperature, labelFraction)',
    ]);
  });

  test('of a job are sent there from the top', () => {
    expect(complaints('pretrain: {epochs: 1}')).toEqual([
      '1:1 unknown key "pretrain"; write it under job, or as an axis under grid: pretrain is a key of every job',
    ]);
  });

  test('with dots are nested in job', () => {
    expect(complaints('job: {model.decoder.dim: 64}')).toEqual([
      '1:7 unknown key "model.decoder.dim" in job; in job, keys nest: model: {decoder: {dim: …}}',
    ]);
  });

  test('nested in a grid have the place at which they are written', () => {
    expect(complaints('grid:\n  pretrain: {epochs: [1, x], batchsizes: 3}\n  model: {decoder: {heads: [0]}}')).toEqual([
      '2:26 grid.pretrain.epochs[1]: expected a whole number of at least 1, got "x"',
      expect.stringMatching(/^2:30 unknown key "pretrain.batchsizes" in grid; did you mean "pretrain.batchSize"\?/),
      '3:29 grid.model.decoder.heads[0]: expected a whole number of at least 1, got 0',
    ]);
  });

  test('in a grid name the nearest axis', () => {
    expect(complaints('grid: {mask_ratio: [0.5], foo: 1}')).toEqual([
      `1:8 unknown key "mask_ratio" in grid; did you mean "maskRatio"? ${AXES_HELP}`,
      `1:27 unknown key "foo" in grid; ${AXES_HELP}`,
    ]);
  });

  test('of other data sets are refused with the data set', () => {
    expect(complaints('job:\n  data: {name: cifar10, corrupt: skip}')).toEqual([
      '2:25 unknown key "corrupt" in job.data; the data set cifar10 has no corrupt; remove the key, or unset it: ' +
        '--set job.data.corrupt=null',
    ]);
  });

  test.each(['__proto__', 'constructor', 'toString'])('may be called %s', (key) => {
    expect(complaints(`${key}: {x: 1}\njob: {${key}: 1}`)).toHaveLength(2);
  });
});

describe('wrong values', () => {
  test.each([
    ['pretrain: {epochs: 0}', 'job.pretrain.epochs: expected a whole number of at least 1, got 0'],
    ['pretrain: {epochs: ten}', 'job.pretrain.epochs: expected a whole number of at least 1, got "ten"'],
    ['pretrain: {epochs: 1.5}', 'job.pretrain.epochs: expected a whole number of at least 1, got 1.5'],
    ['pretrain: {epochs: }', 'job.pretrain.epochs: expected a whole number of at least 1, got nothing'],
    ['maskRatio: 1', 'job.maskRatio: expected a number of at least 0 and below 1, got 1'],
    ['maskRatio: .nan', 'job.maskRatio: expected a number of at least 0 and below 1, got NaN'],
    ['seed: -1', 'job.seed: expected a whole number of at least 0, got -1'],
    ['knn: {temperature: 0}', 'job.knn.temperature: expected a number above 0, got 0'],
    ['data: {labelFraction: 1.1}', 'job.data.labelFraction: expected a number above 0 and of at most 1, got 1.1'],
    ['data: {imageSize: 4}', 'job.data.imageSize: expected a whole number of at least 8, got 4'],
    ['data: {name: idx, path: 3}', 'job.data.path: expected text, got 3'],
    ['model: {classToken: 1}', 'job.model.classToken: expected true or false, got 1'],
    [
      'misalignment: zoom-in',
      'job.misalignment: expected one of none, zoomed-in, zoomed-out, distorted, got "zoom-in"; did you mean "zoomed-in"?',
    ],
    [
      'stylePreservation: yes',
      'job.stylePreservation: expected one of preserved, blurred, decolorized or true or false, got "yes"',
    ],
    [
      'data: {name: cifar}',
      'job.data.name: expected one of shapes, cifar10, cifar100, idx, image-folder, segmentation-folder, got "cifar"; did you mean "cifar10"?',
    ],
    [
      'evaluate: [knn, knn]',
      'job.evaluate[1]: evaluate[0] has the name knn already; give each evaluation a name of its own',
    ],
    ['evaluate: knn', `job.evaluate: expected a list, each item one of ${PROTOCOLS} or a mapping of keys, got "knn"`],
    ['evaluate: [lin]', `job.evaluate[0]: expected one of ${PROTOCOLS}, got "lin"`],
    [
      'degradation: {distorted: {strength: 0.2}}',
      'job.degradation.distorted.strength: expected a list of 2 values, each a number of at least 0 and of at most 0.5, got 0.2',
    ],
    [
      'degradation: {distorted: {strength: [0.2, 0.1]}}',
      'job.degradation.distorted.strength: expected [low, high] with low ≤ high, got [0.2,0.1]',
    ],
    [
      'degradation: {blurred: {kernelSize: 4}}',
      'job.degradation.blurred.kernelSize: expected an odd kernel size, got 4',
    ],
    [
      'degradation: {blurred: {kernelSize: big}}',
      'job.degradation.blurred.kernelSize: expected auto or a whole number of at least 3, got "big"',
    ],
    [
      'degradation: {zoomedIn: {fraction: half}}',
      'job.degradation.zoomedIn.fraction: expected a fraction such as 160/224, got "half"',
    ],
    [
      'degradation: {zoomedOut: {fraction: 224/160}}',
      'job.degradation.zoomedOut.fraction: expected a fraction below 1, got "224/160"',
    ],
    ['pretrain: 5', 'job.pretrain: expected a mapping of keys, got 5'],
    ['objective: [masked]', 'job.objective: expected text, got ["masked"]'],
  ])('%s', (yaml, message) => {
    expect(problemsOf(`job:\n  ${yaml}\n`).map((problem) => problem.message)).toEqual([message]);
  });

  test('of an axis are placed at the very value', () => {
    expect(complaints('grid:\n  maskRatio:\n    - 0\n    - 1.5\n  seed: -1\n')).toEqual([
      '4:7 grid.maskRatio[1]: expected a number of at least 0 and below 1, got 1.5',
      '5:9 grid.seed: expected a whole number of at least 0, got -1',
    ]);
  });

  test('an axis needs values', () => {
    expect(complaints('grid: {seed: []}')).toEqual(['1:14 grid.seed: expected at least one value, got []']);
  });

  test('an axis of a list-valued key is a list of lists', () => {
    expect(complaints('grid: {evaluate: [knn]}')).toEqual([
      `1:19 grid.evaluate[0]: expected a list, each item one of ${PROTOCOLS} or a mapping of keys, got "knn"`,
    ]);
  });

  test('an unknown objective is an error and no contradiction', () => {
    expect(complaints('grid: {objective: [masked, maskd]}')[0]).toMatch(
      /^1:28 grid\.objective\[1\]: unknown objective "maskd"; did you mean "masked"\?/,
    );
  });

  test('a missing path says what it is', () => {
    expect(complaints('job:\n  data: {name: image-folder}')).toEqual([
      '2:9 job.data.path is missing (Folder with train/ and test/ (or val/), each with one folder of images a class)',
    ]);
  });

  test('a file that is no mapping is refused', () => {
    expect(complaints('- a\n')).toEqual(['1:1 the file: expected a mapping of keys, got ["a"]']);
  });

  test('are all reported at once', () => {
    const text = 'nam: x\njob:\n  seed: x\n  model: {preset: vit-c}\ngrid: {seed: [a]}\nexclude: [{sed: 1}]\n';
    expect(complaints(text, ['job.sed=1']).map((line) => line.split(/[ :]/)[0])).toEqual([
      '1',
      '3',
      '4',
      '5',
      '6',
      '--set',
    ]);
  });
});

describe('the name', () => {
  test('is the default one unless the file gives one', () => {
    expect(read('job: {}').name).toBe('sweep');
    expect(read('name: other').name).toBe('other');
  });

  test.each(['a b', '../x', '.hidden', 'a/b', '-x'])('cannot be %s', (name) => {
    expect(complaints(`name: "${name}"`)[0]).toMatch(/^1:7 name: expected letters, digits/);
  });
});

test('the time to read a file with a problem in each line grows only with its length', () => {
  // A search through the whole text, or for the nearest name, for each of them would take many minutes.
  const keys = (count: number): string => Array.from({ length: count }, (_, i) => `  unknown${i}: 1`).join('\n');
  for (const section of ['job', 'grid']) {
    const problems = problemsOf(`${section}:\n${keys(90_000)}`);
    expect(problems).toHaveLength(90_000);
    expect(problems[89_999]).toMatchObject({ location: { line: 90_001, column: 3, text: '  unknown89999: 1' } });
  }
});
