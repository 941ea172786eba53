import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge } from '../../../tools/mutate/judge.js';
import { describeChange, mutantsOf } from '../../../tools/mutate/mutants.js';
import { parseReached, recordReach, type TestFile } from '../../../tools/mutate/tests.js';
import { plantTree } from '../../../tools/mutate/tree.js';

const SOURCE = `
export function isPositive(x: number): boolean {
  return x > 0;
}
export function last(n: number): number {
  while (n !== 0) n -= 1;
  return n;
}
export function unused(x: number): number {
  return -x;
}
`;

const TEST = `
import { isPositive, last } from '../../src/model/numbers.js';
describe('numbers', () => {
  let begun = false;
  beforeAll(() => { begun = true; });
  it.each([[1, true], [-1, false]])('tells the sign of %d', (x, expected) => {
    expect(begun).toBe(true);
    expect(isPositive(x)).toBe(expected);
  });
  it('counts down', async () => {
    await Promise.resolve();
    expect(last(3)).toBe(0);
  });
});
`;

/** dist/test/tools/mutate → dist */
const DIST = fileURLToPath(new URL('../../../', import.meta.url));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('a module with three functions, of which two are tested', () => {
  const file = 'src/model/numbers.ts';
  const path = 'dist/test/model/numbers.test.js';
  const mutants = mutantsOf(file, SOURCE).map((mutant, i) => ({ ...mutant, id: i + 1 }));
  const repository = realpathSync(mkdtempSync(join(tmpdir(), 'vitmim-')));
  let tree: ReturnType<typeof plantTree>;
  let reach: TestFile;

  beforeAll(async () => {
    write(join(repository, path), TEST);
    write(join(repository, 'dist/src/model/numbers.js'), '');
    write(join(repository, 'package.json'), '{"type": "module"}');
    cpSync(join(DIST, 'tools'), join(repository, 'dist/tools'), { recursive: true });
    symlinkSync(realpathSync(join(DIST, '../node_modules')), join(repository, 'node_modules'));
    tree = plantTree(repository, new Map([[file, SOURCE]]), mutants);
    const recorded = await recordReach(tree.root, path, { slot: 0, inParts: true });
    if (typeof recorded === 'string') throw new Error(recorded);
    reach = recorded;
  }, 60_000);

  afterAll(() => {
    tree.remove();
    rmSync(repository, { recursive: true });
  });

  it.each([
    ['`x > 0` → `x <= 0`', 'caught', 'failed'],
    ['`x > 0` → `x >= 0`', 'survived', true],
    ['`0` → `1`', 'caught', 'failed'],
    ['`n -= 1` → `n += 1`', 'caught', 'timed out'],
    ['`n -= 1;` → nothing', 'caught', 'timed out'],
    ['`-x` → `x`', 'survived', false],
  ])(
    'should have %s judged as %s: %s',
    async (change, kind, how) => {
      const mutant = mutants.find((one) => describeChange(one) === change)!;
      const verdict = await judge(mutant, [reach], tree.root, 0, () => 3000);
      expect(verdict).toMatchObject({ kind, [kind === 'caught' ? 'how' : 'reached']: how });
    },
    60_000,
  );

  it('should have each mutant reached by the tests that run its code, and no others', () => {
    const testsOf = (change: string) => reach.reaches[mutants.find((one) => describeChange(one) === change)!.id];
    expect(testsOf('`x > 0` → `x <= 0`')).toEqual([0, 1]);
    expect(testsOf('`n -= 1` → `n += 1`')).toEqual([2]);
    expect(testsOf('`-x` → `x`')).toBeUndefined();
  });
});

describe('what a test file reaches', () => {
  it('should be of its tests, and of the whole file if it is reached before them or elsewhere', () => {
    expect(parseReached('1\n@0\n2\n3\n@1\n2\n1\n*4\n@file\n3\n')).toEqual({
      1: 'file',
      2: [0, 1],
      3: 'file',
      4: 'file',
    });
  });
});
