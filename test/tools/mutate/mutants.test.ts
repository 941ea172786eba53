import { describeChange, mutantsOf } from '../../../tools/mutate/mutants.js';

const changes = (text: string): string[] =>
  mutantsOf('src/model/example.ts', text).map(({ operator, ...mutant }) => `${operator} ${describeChange(mutant)}`);

describe('the mutants of a text', () => {
  it('should exchange arithmetic, but not change joined text', () => {
    expect(changes('f(a - b * c, "x" + d);')).toEqual([
      'statement `f(a - b * c, "x" + d);` → nothing',
      'arithmetic `a - b * c` → `a + b * c`',
      'arithmetic `b * c` → `b / c`',
    ]);
  });

  it('should move the bounds of comparisons and force conditions', () => {
    expect(changes('const x = a < b ? c : d;')).toEqual([
      'condition `a < b` → `false`',
      'condition `a < b` → `true`',
      'comparison `a < b` → `a <= b`',
      'comparison `a < b` → `a >= b`',
    ]);
  });

  it('should not make a loop endless', () => {
    expect(changes('while (isOpen) x;')).toEqual(['condition `isOpen` → `false`']);
  });

  it('should take either side of what is joined by a boolean operator or a fallback', () => {
    expect(changes('x = !a && (b ?? c);')).toEqual([
      'statement `x = !a && (b ?? c);` → nothing',
      'boolean `!a && (b ?? c)` → `!a || (b ?? c)`',
      'boolean `!a && (b ?? c)` → `!a`',
      'boolean `!a && (b ?? c)` → `(b ?? c)`',
      'boolean `!a` → `a`',
      'fallback `b ?? c` → `b`',
      'fallback `b ?? c` → `c`',
    ]);
  });

  it('should change numbers: the next integer, twice another, a hundred times a tiny one', () => {
    expect(changes('const x = { 4: 0, b: 0.5, c: 1e-8 }; const { 4: y } = x;')).toEqual([
      'literal `0` → `1`',
      'literal `0.5` → `1`',
      'literal `1e-8` → `0.000001`',
    ]);
  });

  it('should exchange the functions of Math and tfjs, and the methods of arrays', () => {
    expect(changes('const x = Math.max(a, b) + tf.add(c, d).x + e.slice(1).every(f);')).toEqual([
      'arithmetic `Math.max(a, b) + tf.add(c, d).x + e.slice(1).every(f)` → `Math.max(a, b) + tf.add(c, d).x - e.slice(1).every(f)`',
      'arithmetic `Math.max(a, b) + tf.add(c, d).x` → `Math.max(a, b) - tf.add(c, d).x`',
      'math `Math.max(a, b)` → `Math.min(a, b)`',
      'tensor `tf.add(c, d)` → `tf.sub(c, d)`',
      'method `e.slice(1).every(f)` → `e.slice(1).some(f)`',
      'method `e.slice(1)` → `e`',
      'literal `1` → `2`',
    ]);
  });

  it('should leave out spread members and the members of returned lists', () => {
    expect(changes('const f = () => [...a]; const g = { ...b };')).toEqual([
      'return `[...a]` → `[]`',
      'spread `a` → `[]`',
      'spread `b` → `{}`',
    ]);
  });

  it('should not change types, imports and thrown values', () => {
    const text = `
      import { x } from './x.js';
      interface A { b: 0 | 1 }
      export type C = -1;
      throw new RangeError(\`\${a + 1} is more than \${b - 1}\`);
    `;
    expect(changes(text)).toEqual([]);
  });

  it('should keep optional chains whole', () => {
    expect(changes('const x = a?.filter(b).length;')).toEqual([]);
  });

  it('should keep the key of a mutant if other lines of its file change', () => {
    const [before] = mutantsOf('src/model/a.ts', 'x = a - b;');
    const after = mutantsOf('src/model/a.ts', '// more\nlet y;\nx = a - b;');
    expect(after.map(({ key }) => key)).toContain(before!.key);
  });
});

describe('a named fault', () => {
  const fault = { name: 'a fault', file: 'src/model/a.ts', find: 'seed', replace: '0' };

  it('should be planted if its text is the argument of the given function', () => {
    const text = 'f(seed); g(seed);';
    const [mutant] = mutantsOf('src/model/a.ts', text, [{ ...fault, inCallOf: 'g' }]);
    expect(mutant).toMatchObject({ name: 'a fault', start: text.lastIndexOf('seed'), replacement: '0' });
  });

  it('should be refused if its text is not there once', () => {
    expect(() => mutantsOf('src/model/a.ts', 'f(seed); g(seed);', [fault])).toThrow(/2 times, not once/);
    expect(() => mutantsOf('src/model/a.ts', 'f(other);', [fault])).toThrow(/0 times, not once/);
  });
});
