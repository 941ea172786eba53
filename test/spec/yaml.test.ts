import fc from 'fast-check';
import { SpecError } from '../../src/spec/problems.js';
import { parseYamlValue, readYaml } from '../../src/spec/yaml.js';

function errorOf(text: string): string {
  try {
    readYaml(text, 'a.yaml');
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

const place = (text: string, path: (string | number)[], part?: 'key' | 'value') => {
  const location = readYaml(text, 'a.yaml').locate(path, part);
  return location.kind === 'file' ? `${location.line}:${location.column}` : location.option;
};

describe('readYaml', () => {
  test('reads the YAML 1.2 core schema', () => {
    expect(readYaml('a: yes\nb: 010\nc: 1e-3\nd:\ne: 0x10\n', 'a.yaml').value).toEqual({
      a: 'yes',
      b: 10,
      c: 0.001,
      d: null,
      e: 16,
    });
  });

  test('points at a syntax error with its line and a caret', () => {
    expect(errorOf('name: a\njob:\n  data: {name: shapes\n  seed: 1}\n')).toBe(
      'a.yaml:4:3: not valid YAML: deficient indentation\n  4 |   seed: 1}\n    |   ^',
    );
  });

  test('refuses a key that stands twice', () => {
    expect(errorOf('name: a\nname: b\n')).toBe(
      'a.yaml:2:1: this key stands twice in one mapping; keep one of them\n  2 | name: b\n    | ^',
    );
  });

  test('refuses tabs as indentation', () => {
    expect(errorOf('job:\n\tseed: 1\n')).toContain('a.yaml:2:1: tabs cannot indent YAML; use spaces');
  });

  test.each(['', '\n\n', '# nothing but a comment\n', '\uFEFF'])('refuses an empty file (%j)', (text) => {
    expect(errorOf(text)).toContain('the file is empty; a sweep is a mapping with the keys job, grid, …');
  });

  test('refuses several documents and points at the second', () => {
    expect(errorOf('name: a\n---\nname: b\n')).toContain('a.yaml:3:1: the file holds several YAML documents');
  });

  test('refuses a value that contains itself', () => {
    expect(errorOf('job: &all {data: *all}\n')).toContain('a.yaml:1:18: *all refers to a value it is part of');
  });

  test('refuses aliases that multiply into an endless value', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`);
    expect(errorOf(['a0: &a0 [1]', ...levels].join('\n'))).toContain('aliases make this stand for over 100000 values');
  });

  test('reads a value behind an alias and places it at the alias', () => {
    const text = 'a: &seeds [0, 1]\nb: *seeds\n';
    expect(readYaml(text, 'a.yaml').value).toEqual({ a: [0, 1], b: [0, 1] });
    expect(place(text, ['b', 1])).toBe('2:4');
  });

  test('refuses an unknown tag and an unknown alias', () => {
    expect(errorOf('a: !ratio 1')).toContain('a.yaml:1:4: not valid YAML: unknown scalar tag');
    expect(errorOf('a: *b')).toContain('not valid YAML: unidentified alias');
  });

  test('reads a file that begins with a byte order mark', () => {
    expect(readYaml('\uFEFFname: a\n', 'a.yaml').value).toEqual({ name: 'a' });
    expect(place('\uFEFFname: a\n', ['name'])).toBe('1:7');
  });
});

describe('locate', () => {
  const text = 'a: 1\nb:\n  - {x: 1, "y": \'z\'}\n  - [2, 3]\nc:\nd: |\n  text\n';

  test.each([
    [['a'], '1:4'],
    [['b'], '3:3'],
    [['b', 0], '3:5'],
    [['b', 0, 'x'], '3:9'],
    [['b', 0, 'y'], '3:17'],
    [['b', 1, 1], '4:9'],
  ] as [(string | number)[], string][])('finds the value at %j', (path, expected) => {
    expect(place(text, path)).toBe(expected);
  });

  test('finds the key of a value', () => {
    expect(place(text, ['b', 0, 'x'], 'key')).toBe('3:6');
    expect(place(text, ['b', 0, 'y'], 'key')).toBe('3:12');
  });

  test('places an empty value at its key', () => {
    expect(place(text, ['c'])).toBe('5:1');
  });

  test('places what is missing at the nearest value around it', () => {
    expect(place(text, ['b', 0, 'q', 'r'])).toBe('3:5');
    expect(place(text, ['q'])).toBe('1:1');
  });

  test('counts CRLF and CR as line ends', () => {
    expect(place('a: 1\r\nb: 2\rc: 3\n', ['c'])).toBe('3:4');
  });

  test('is right under any comments and blank lines', () => {
    const filler = fc.array(fc.constantFrom('', '   ', '# note: [', '  # - {x: 1}'), { maxLength: 3 });
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(names, fc.array(filler, { minLength: 7, maxLength: 7 }), (keys, fillers) => {
        const lines = keys.flatMap((key, index) => [...(fillers[index] ?? []), `${key}: {x: [0, 1]} # end`]);
        const document = readYaml(lines.join('\n'), 'a.yaml');
        for (const key of keys) {
          const line = lines.findIndex((candidate) => candidate.startsWith(`${key}:`)) + 1;
          const column = key.length + 11;
          expect(document.locate([key, 'x', 1])).toMatchObject({ line, column });
        }
      }),
    );
  });
});

describe('parseYamlValue', () => {
  test('also gives every scalar as its text', () => {
    expect(parseYamlValue('[007, ~, {a: 1e3}, "~"]')).toEqual({
      value: [7, null, { a: 1000 }, '~'],
      text: ['007', '~', { a: '1e3' }, '~'],
    });
  });

  test('reads scalars, lists and mappings', () => {
    expect(parseYamlValue('5')).toMatchObject({ value: 5 });
    expect(parseYamlValue('[0, 0.75]')).toMatchObject({ value: [0, 0.75] });
    expect(parseYamlValue('{name: cifar10}')).toMatchObject({ value: { name: 'cifar10' } });
  });

  test('says why a value cannot be read', () => {
    expect(parseYamlValue('[1')).toEqual({ reason: 'unexpected end of the stream within a flow collection' });
    expect(parseYamlValue('&a [*a]')).toHaveProperty('reason');
  });
});
