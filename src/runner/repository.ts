/** The state of the repository that contains a folder, by git. Only reads; `git.ts` keeps git from running programs. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { sha256 } from '../common/canonical.js';
import { errorCode, messageOf } from '../common/errors.js';
import type { Repository } from '../store/provenance.js';
import { gitIn, type Git } from './git.js';
import { looksSecret } from './secrets.js';

export type Reading =
  | {
      kind: 'repository';
      root: string;
      state: Repository;
      /** What `state.diff` names. */
      diff: Uint8Array | null;
    }
  /** No git, no repository, or one that git refuses to read. */
  | { kind: 'none'; reason: string };

/**
 * Reads the repository of a folder. The diff leaves out files that hold secrets by their names.
 *
 * @param besides A folder whose content does not count, whether it exists or not: the results folder.
 * @param keepDiff Whether the difference to the commit is read (yes).
 */
export async function readRepository(folder: string, besides?: string, keepDiff = true): Promise<Reading> {
  try {
    const git = await gitIn(folder);
    const root = (await git('rev-parse', '--show-toplevel')).toString().replace(/\r?\n$/, '');
    // `core.worktree` of a foreign repository can name any folder, whose files would then be listed and kept.
    if (!existsSync(join(root, '.git'))) return { kind: 'none', reason: `${root} is not the root of a repository` };
    const commit = await headOf(git);
    const paths = pathspec(root, besides);
    const status = await git(
      'status',
      '--porcelain=v1',
      '-z',
      '--no-renames',
      '--untracked-files=normal',
      // Its changes would be read under its own configuration.
      '--ignore-submodules=dirty',
      ...paths,
    );
    const { changed, untracked } = parseStatus(status.toString());
    const withheld = changed.filter(looksSecret);
    const shown = [...paths, ...withheld.map((file) => `:(exclude,top,literal)${file}`)];
    const diff = changed.length === 0 ? null : keepDiff ? await diffOf(git, commit, shown) : 'not kept';
    const state: Repository = {
      commit,
      dirty: changed.length + untracked.length > 0,
      changed,
      untracked,
      diff: typeof diff === 'string' || diff === null ? diff : sha256(diff),
      ...(keepDiff && withheld.length > 0 ? { withheld } : {}),
    };
    return { kind: 'repository', root, state, diff: typeof diff === 'string' ? null : diff };
  } catch (error) {
    return { kind: 'none', reason: reasonOf(error) };
  }
}

/** Everything of the repository but one folder. */
function pathspec(root: string, besides: string | undefined): string[] {
  if (besides === undefined) return ['--', ':(top)'];
  const inside = relative(realPath(root), realPath(resolve(besides)));
  const isInside = inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
  return ['--', ':(top)', ...(isInside ? [`:(exclude,top,literal)${inside.split(sep).join('/')}`] : [])];
}

/** Without links, as far as the path exists. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realPath(dirname(path)), basename(path));
}

/** null before the first commit. */
async function headOf(git: Git): Promise<string | null> {
  try {
    return (await git('rev-parse', '--verify', '--quiet', 'HEAD')).toString().trim();
  } catch {
    return null;
  }
}

/** The files of `git status -z`, by their state. */
function parseStatus(text: string): Pick<Repository, 'changed' | 'untracked'> {
  const entries = text.split('\0').filter((entry) => entry !== '');
  const names = (wanted: boolean): string[] =>
    entries.filter((entry) => entry.startsWith('?? ') === wanted).map((entry) => entry.slice(3));
  return { changed: names(false), untracked: names(true) };
}

/** However the user has set up diffs, this one can be applied. */
const DIFF = [
  '--ignore-submodules=dirty',
  '--submodule=short',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-renames',
  '--binary',
  '--full-index',
];
const PREFIXES = ['--src-prefix=a/', '--dst-prefix=b/'];

/** null if git sees only a change of a file's form, such as its time or its line ends. */
async function diffOf(git: Git, commit: string | null, paths: string[]): Promise<Uint8Array | 'too large' | null> {
  // git has the empty tree built in. Its name depends on the hash function of the repository.
  const base = commit ?? (await git('hash-object', '-t', 'tree', '--stdin')).toString().trim();
  try {
    const diff = await git('diff', ...DIFF, ...PREFIXES, base, ...paths);
    return diff.length === 0 ? null : diff;
  } catch (error) {
    if (errorCode(error) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'too large';
    throw error;
  }
}

/** Why git returned nothing. */
function reasonOf(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return 'git is not installed';
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return (output === '' ? messageOf(error) : output).split('\n')[0]!.replace(/^fatal: /, '');
}
