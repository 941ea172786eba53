/**
 * A copy of the built program with all mutants, in a folder outside the repository: there, a mutant that deletes or
 * writes the wrong file does no harm.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { instrument, SWITCH } from './instrument.js';
import type { Numbered } from './mutants.js';

/** Files that tests read in addition to the compiled program. */
const COPIED = [
  'dist',
  'test',
  'docs',
  'experiments',
  'results',
  'schema',
  'package.json',
  'package-lock.json',
  'README.md',
];

const SWITCH_MODULE = 'src/planted-mutant.js';

export interface Tree {
  root: string;
  remove: () => void;
}

/** @param texts The sources of the files that have mutants, by path. */
export function plantTree(repository: string, texts: ReadonlyMap<string, string>, mutants: readonly Numbered[]): Tree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'vitmim-mutants-')));
  for (const name of COPIED) {
    const from = join(repository, name);
    if (existsSync(from)) cpSync(from, join(root, name), { recursive: true });
  }
  symlinkSync(realpathSync(join(repository, 'node_modules')), join(root, 'node_modules'));
  mkdirSync(join(root, 'tmp'));
  writeFileSync(join(root, 'dist', SWITCH_MODULE), SWITCH);
  for (const file of new Set(mutants.map((mutant) => mutant.file))) {
    const own = mutants.filter((mutant) => mutant.file === file);
    const way = posix.relative(dirname(file), SWITCH_MODULE);
    const code = instrument(texts.get(file)!, own, way.startsWith('.') ? way : `./${way}`);
    writeFileSync(join(root, 'dist', file.replace(/\.ts$/, '.js')), code);
  }
  return {
    root,
    remove: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
