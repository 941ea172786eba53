/** Real git repositories for tests, independent of the user's configuration. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';

const AUTHOR = ['-c', 'user.name=nobody', '-c', 'user.email=nobody@example.com', '-c', 'commit.gpgSign=false'];

export interface TestRepository {
  path: string;
  write: (file: string, text: string) => void;
  git: (...args: string[]) => string;
  /** Commits all changes, and returns the commit. */
  commit: () => string;
}

/** Creates an empty repository in a folder that does not exist yet. */
export function makeRepository(path: string): TestRepository {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const env = { ...Object.fromEntries(environment), GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]): string =>
    execFileSync('git', [...AUTHOR, ...args], { cwd: path, env, encoding: 'utf8' }).trim();
  mkdirSync(path, { recursive: true });
  git('init', '--quiet');
  return {
    path,
    git,
    write: (file, text) => {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    commit: () => {
      git('add', '--all');
      git('commit', '--quiet', '--message', 'A commit');
      return git('rev-parse', 'HEAD');
    },
  };
}
