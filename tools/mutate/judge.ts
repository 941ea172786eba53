/** Decides whether the tests catch a mutant: those that reach it run until one fails. */
import { folderOf } from './choose.js';
import type { Numbered } from './mutants.js';
import type { Order } from './run-tests.js';
import { runWith, type TestFile } from './tests.js';

export type Verdict =
  | { kind: 'caught'; by: string; test: string; how: 'failed' | 'crashed' | 'timed out' }
  | { kind: 'survived'; reached: boolean };

/**
 * The tests that reach a mutant, in the order in which they run. Files that reach it in a test come before files that
 * reach it only while they load; among these, files of its own folder come first, and then quicker files.
 */
export function testsOf(mutant: Numbered, files: readonly TestFile[]): Order['files'] {
  const mirrored = `dist/test/${folderOf(mutant)}/`;
  const rank = ({ path, reaches }: TestFile): number =>
    (reaches[mutant.id] === 'file' ? 2 : 0) + (path.includes(mirrored) ? 0 : 1);
  return files
    .filter(({ reaches }) => reaches[mutant.id] !== undefined)
    .sort((a, b) => rank(a) - rank(b) || a.seconds - b.seconds)
    .map(({ path, independent, reaches }) => {
      const tests = reaches[mutant.id]!;
      return independent && tests !== 'file' ? { path, tests } : { path };
    });
}

/** The time limit of a file: five times its time without a mutant, and ten seconds more. */
const limitOf = (seconds: number): number => (5 * seconds + 10) * 1000;

export async function judge(
  mutant: Numbered,
  files: readonly TestFile[],
  root: string,
  slot = 0,
  limitMs = limitOf,
): Promise<Verdict> {
  const order = testsOf(mutant, files);
  if (order.length === 0) return { kind: 'survived', reached: false };
  const seconds = new Map(files.map((file) => [file.path, file.seconds]));
  const ending = await runWith(
    mutant.id,
    root,
    { files: order },
    {
      limitMs: (path) => limitMs(seconds.get(path) ?? 0),
      slot,
    },
  );
  if (ending.kind === 'passed') return { kind: 'survived', reached: true };
  return { kind: 'caught', by: ending.path, test: ending.kind === 'failed' ? ending.test : '', how: ending.kind };
}
