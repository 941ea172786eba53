/** The origin of a sweep: the code, the spec and the command, collected once by the process that runs it. */
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, homedir, platform, release } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../common/canonical.js';
import { UsageError } from '../common/errors.js';
import type { Machine, Origin, Repository } from '../store/provenance.js';
import { readRepository, type Reading } from './repository.js';

export interface OriginQuestion {
  version: string;
  /** The arguments after `vitmim`. */
  args: readonly string[];
  /** The spec's file; undefined if a stage is run without one. */
  spec?: string;
  /** The results folder: its files make no repository dirty. */
  results: string;
  /** The folder of vitmim's package.json; undefined: found from this file. */
  packageRoot?: string | undefined;
  /** Whether uncommitted changes are kept as a diff (yes). */
  keepDiff?: boolean | undefined;
}

export interface Collected {
  origin: Origin;
  /** Diffs that the origin names, by their SHA-256. */
  diffs: ReadonlyMap<string, Uint8Array>;
  /** The repositories that were read, each once, with their names in messages. */
  repositories: readonly { what: string; reading: Reading }[];
}

/** Collects the origin. If git or a repository is missing, null is recorded. */
export async function collectOrigin(question: OriginQuestion): Promise<Collected> {
  const { version, args, spec, results, packageRoot = findPackage(), keepDiff } = question;
  // If vitmim is installed as a package, the repository around it belongs to another project.
  const isCheckout = packageRoot !== undefined && existsSync(join(packageRoot, '.git'));
  const [ofSpec, ofVitmim] = await Promise.all([
    spec === undefined ? undefined : readRepository(dirname(resolve(spec)), results, keepDiff),
    isCheckout ? readRepository(packageRoot, results, keepDiff) : undefined,
  ]);
  const isOne = ofSpec?.kind === 'repository' && ofVitmim?.kind === 'repository' && ofSpec.root === ofVitmim.root;
  const repositories = [
    ...(ofSpec === undefined ? [] : [{ what: `the repository of ${spec!}`, reading: ofSpec }]),
    ...(ofVitmim === undefined || isOne ? [] : [{ what: "vitmim's own checkout", reading: ofVitmim }]),
  ];
  return {
    origin: {
      vitmim: { version, repository: stateOf(ofVitmim), lockfile: lockfileOf(packageRoot) },
      spec: stateOf(ofSpec),
      command: ['vitmim', ...args.map(withoutHome)],
    },
    diffs: new Map(repositories.flatMap(({ reading }) => diffOf(reading))),
    repositories,
  };
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    node: process.version,
    platform: platform(),
    arch: arch(),
    release: release(),
    cpu: cpus()[0]?.model.trim() ?? null,
  };
}

/** The uncommitted changes of the origin, a line for each repository; empty if there are none, or none are known. */
export function describeDirt({ repositories }: Pick<Collected, 'repositories'>): string[] {
  return repositories.flatMap(({ what, reading }) => {
    if (reading.kind !== 'repository' || !reading.state.dirty) return [];
    const { commit, changed, untracked, diff, withheld = [] } = reading.state;
    const counts = [...countOf(changed, 'changed'), ...countOf(untracked, 'untracked')].join(', ');
    const kept = diff === 'too large' ? '; the diff is too large to be kept' : '';
    const dirt = `${what} is dirty at ${shortCommit(commit)}: ${counts}${kept}`;
    if (withheld.length === 0) return [dirt];
    const names = countOf(withheld, 'changed').join();
    return [dirt, `the diff of ${what} leaves out what may hold secrets: ${names}; --no-diff keeps no diff at all`];
  });
}

const LISTED = 20;

/**
 * The check of `--require-clean`.
 *
 * @throws UsageError if the spec lies in no repository, or a file of that repository or of vitmim's checkout is not
 *   committed.
 */
export function refuseUnlessClean({ repositories }: Pick<Collected, 'repositories'>): void {
  for (const { what, reading } of repositories) {
    if (reading.kind === 'none') {
      throw new UsageError(
        `--require-clean: ${what} cannot be read (${reading.reason}); ` +
          'put it under git and commit it, or run without --require-clean',
      );
    }
    const { commit, dirty, changed, untracked } = reading.state;
    if (!dirty) continue;
    const files = [...changed.map((file) => `changed: ${file}`), ...untracked.map((file) => `untracked: ${file}`)];
    const more = files.length > LISTED ? [`and ${files.length - LISTED} more`] : [];
    throw new UsageError(
      `--require-clean: ${what} is not as its commit ${shortCommit(commit)}:\n` +
        [...files.slice(0, LISTED), ...more].map((line) => `  ${line}\n`).join('') +
        'commit or stash these, list in .gitignore the files that are no part of the work, or run without --require-clean',
    );
  }
}

/** The first ten digits, as people quote it. */
export function shortCommit(commit: string | null): string {
  return commit === null ? 'no commit yet' : commit.slice(0, 10);
}

const countOf = (files: readonly string[], what: string): string[] =>
  files.length === 0
    ? []
    : [`${files.length} ${what} (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''})`];

const stateOf = (reading: Reading | undefined): Repository | null =>
  reading?.kind === 'repository' ? reading.state : null;

function diffOf(reading: Reading): [string, Uint8Array][] {
  if (reading.kind !== 'repository' || reading.diff === null || reading.state.diff === null) return [];
  return [[reading.state.diff, reading.diff]];
}

/** npm reads the first of these that is there. */
const LOCKFILES = ['npm-shrinkwrap.json', 'package-lock.json'];

function lockfileOf(packageRoot: string | undefined): string | null {
  if (packageRoot === undefined) return null;
  const path = LOCKFILES.map((name) => join(packageRoot, name)).find((file) => existsSync(file));
  return path === undefined ? null : sha256(readFileSync(path));
}

/** vitmim's folder above this file; undefined in a bundle, whose package.json is another's. */
function findPackage(): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const { name } = JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown };
      return name === 'vitmim' ? folder : undefined;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** A home folder is mostly named after its user. */
function withoutHome(argument: string): string {
  const home = homedir();
  if (dirname(home) === home) return argument;
  const literally = home.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  // Only a whole path or the beginning of one, not a part of another name.
  return argument.replace(new RegExp(`(?<![\\w./-])${literally}(?![\\w.-])`, 'g'), '~');
}
