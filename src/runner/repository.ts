/** What git says of the repository that a folder lies in. Reads alone: no lock is taken, no hook or filter of a diff runs. */
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from '../common/canonical.js';
import { errorCode, messageOf } from '../common/errors.js';
import type { Repository } from '../store/provenance.js';

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
 * Reads the repository of a folder.
 *
 * @param besides A folder whose content does not count, whether it exists or not: where results are written.
 */
export async function readRepository(folder: string, besides?: string): Promise<Reading> {
  try {
    const root = (await git(folder, 'rev-parse', '--show-toplevel')).toString().replace(/\r?\n$/, '');
    const commit = await headOf(root);
    const paths = pathspec(root, besides);
    const status = await git(
      root,
      'status',
      '--porcelain=v1',
      '-z',
      '--no-renames',
      '--untracked-files=normal',
      ...paths,
    );
    const { changed, untracked } = parseStatus(status.toString());
    const diff = changed.length === 0 ? null : await diffOf(root, commit, paths);
    const state: Repository = {
      commit,
      dirty: changed.length + untracked.length > 0,
      changed,
      untracked,
      diff: typeof diff === 'string' || diff === null ? diff : sha256(diff),
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
async function headOf(root: string): Promise<string | null> {
  try {
    return (await git(root, 'rev-parse', '--verify', '--quiet', 'HEAD')).toString().trim();
  } catch {
    return null;
  }
}

/** The files of `git status -z`, each under what it is. */
function parseStatus(text: string): Pick<Repository, 'changed' | 'untracked'> {
  const entries = text.split('\0').filter((entry) => entry !== '');
  const names = (wanted: boolean): string[] =>
    entries.filter((entry) => entry.startsWith('?? ') === wanted).map((entry) => entry.slice(3));
  return { changed: names(false), untracked: names(true) };
}

/** However the user has set up diffs, this one can be applied. */
const DIFF = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--binary', '--full-index'];
const PREFIXES = ['--src-prefix=a/', '--dst-prefix=b/'];

/** null where git sees a change of a file's form alone, such as its time or its line ends. */
async function diffOf(root: string, commit: string | null, paths: string[]): Promise<Uint8Array | 'too large' | null> {
  // git knows the empty tree without its being stored; its name depends on the repository's hash.
  const base = commit ?? (await git(root, 'hash-object', '-t', 'tree', '--stdin')).toString().trim();
  try {
    const diff = await git(root, 'diff', ...DIFF, ...PREFIXES, base, ...paths);
    return diff.length === 0 ? null : diff;
  } catch (error) {
    if (errorCode(error) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'too large';
    throw error;
  }
}

const MOST_BYTES = 64 << 20;

/** Variables that would have git look at another repository, or read paths in another way. */
const MISLEADING: ReadonlySet<string> = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_NAMESPACE',
  'GIT_LITERAL_PATHSPECS',
  'GIT_ICASE_PATHSPECS',
]);

async function git(folder: string, ...args: string[]): Promise<Buffer> {
  const kept = Object.entries(process.env).filter(([name]) => !MISLEADING.has(name));
  const running = promisify(execFile)('git', ['-C', folder, '-c', 'core.fsmonitor=false', ...args], {
    encoding: 'buffer',
    env: { ...Object.fromEntries(kept), GIT_OPTIONAL_LOCKS: '0' },
    maxBuffer: MOST_BYTES,
  });
  running.child.stdin?.end();
  return (await running).stdout;
}

/** Why git said nothing. */
function reasonOf(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return 'git is not installed';
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return (said === '' ? messageOf(error) : said).split('\n')[0]!.replace(/^fatal: /, '');
}
