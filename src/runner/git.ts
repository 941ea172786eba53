/**
 * git, run so that it only reads. A repository may come from another person, and its `.git/config` can name programs
 * that even `git status` runs: filters, a file-system monitor, hooks, programs for diffs, a transport for objects that
 * are missing. None of them runs here. The user's own configuration stays in force. (docs/security.md)
 */
import { execFile } from 'node:child_process';
import { devNull } from 'node:os';
import { promisify } from 'node:util';

/** Settings of the command line, which a repository cannot override. */
const SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', devNull],
  ['core.pager', 'cat'],
  ['diff.orderFile', devNull],
  ['diff.relative', 'false'],
  // A repository that was committed into another one as plain files is not opened.
  ['safe.bareRepository', 'explicit'],
];

const ENVIRONMENT: NodeJS.ProcessEnv = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  // A partial clone would fetch missing objects, by a program that it chooses.
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
};

/** Variables that would have git look at another repository, run a program, or read paths in another way. */
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
  'GIT_EXTERNAL_DIFF',
]);

export const MOST_BYTES = 64 << 20;
/** A repository on a slow file server takes its time; one whose files are pipes never ends. */
const LONGEST_MS = 120_000;

/** Runs git in a folder and returns its standard output. */
export type Git = (...args: string[]) => Promise<Buffer>;

/**
 * git in a folder, with every filter switched off that the repository's own configuration defines.
 *
 * @throws what `execFile` throws: git is missing, or there is no repository.
 */
export async function gitIn(folder: string): Promise<Git> {
  const filters = await ownFilters(folder);
  const settings = filters.flatMap((name) => [
    [`filter.${name}.clean`, ''] as const,
    [`filter.${name}.smudge`, ''] as const,
    [`filter.${name}.process`, ''] as const,
    [`filter.${name}.required`, 'false'] as const,
  ]);
  return (...args) => run(folder, settings, args);
}

/** The filters of the repository's own configuration, and of files that it includes. Reading them runs nothing. */
async function ownFilters(folder: string): Promise<string[]> {
  const text = (await run(folder, [], ['config', '--list', '--null', '--show-scope', '--includes'])).toString();
  // scope NUL key LF value NUL …; the key is lower case but for the name between the dots
  const fields = text.split('\0');
  const names = new Set<string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = /^filter\.([^]*)\.(?:clean|smudge|process|required)$/.exec(fields[i + 1]!.split('\n')[0]!)?.[1];
    if (name !== undefined && ['local', 'worktree'].includes(fields[i]!)) names.add(name);
  }
  return [...names];
}

async function run(
  folder: string,
  more: readonly (readonly [string, string])[],
  args: readonly string[],
): Promise<Buffer> {
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !MISLEADING.has(name)));
  const running = promisify(execFile)('git', ['--no-pager', '-C', folder, ...args], {
    encoding: 'buffer',
    env: { ...kept, ...ENVIRONMENT, ...asVariables([...SETTINGS, ...more], kept) },
    maxBuffer: MOST_BYTES,
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  running.child.stdin?.end();
  return (await running).stdout;
}

/** Settings as git reads them from the environment, after those that are there: `-c` cannot name a key with an `=`. */
function asVariables(settings: readonly (readonly [string, string])[], { GIT_CONFIG_COUNT }: NodeJS.ProcessEnv) {
  const first = Number(GIT_CONFIG_COUNT ?? 0) || 0;
  const pairs = settings.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${first + i}`, key],
    [`GIT_CONFIG_VALUE_${first + i}`, value],
  ]);
  return { ...Object.fromEntries(pairs), GIT_CONFIG_COUNT: String(first + settings.length) } as NodeJS.ProcessEnv;
}
