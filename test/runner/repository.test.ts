import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRepository } from '../../src/runner/repository.js';
import { looksSecret } from '../../src/runner/secrets.js';
import { sha256 } from '../../src/common/canonical.js';
import { makeRepository, type TestRepository } from '../support/repository.js';
import { temporaryFolder } from './support.js';
import { hasLinks, onlyIf } from '../support/capabilities.js';
import { withVariables } from '../support/variables.js';

const root = temporaryFolder();
let count = 0;

/** A repository with one commit. */
function committed(name = `repository-${count++}`): TestRepository & { head: string } {
  const repository = makeRepository(join(root, name));
  repository.write('spec.yaml', 'name: one\n');
  repository.write('src/code.ts', 'one();\n');
  return { ...repository, head: repository.commit() };
}

/** The state that was read. Fails if there is no repository. */
async function stateOf(...[folder, besides]: Parameters<typeof readRepository>) {
  const reading = await readRepository(folder, besides);
  if (reading.kind === 'none') throw new Error(reading.reason);
  return { ...reading.state, text: reading.diff === null ? null : Buffer.from(reading.diff).toString() };
}

const CLEAN = { dirty: false, changed: [], untracked: [], diff: null, text: null };

test('a clean repository is its commit', async () => {
  const { path, head } = committed();
  expect(await stateOf(path)).toEqual({ commit: head, ...CLEAN });
});

test('is found from a folder inside it, and a path with spaces and quotes is one like any other', async () => {
  const { path, head, write } = committed('with "spaces" and ümlauts');
  write('src/a file.ts', '');
  expect(await stateOf(join(path, 'src'))).toMatchObject({ commit: head, untracked: ['src/a file.ts'] });
});

test('a detached HEAD is the commit that is checked out', async () => {
  const { path, git, head, write, commit } = committed();
  write('spec.yaml', 'name: two\n');
  commit();
  git('checkout', '--quiet', '--detach', head);
  expect(await stateOf(path)).toEqual({ commit: head, ...CLEAN });
});

test('changes, staged or not, are a diff that can be applied to the commit', async () => {
  const { path, git, head, write } = committed();
  // Settings that would spoil the diff.
  git('config', 'diff.noprefix', 'true');
  git('config', 'color.ui', 'always');
  git('config', 'diff.external', 'false');
  write('spec.yaml', 'name: two\n');
  write('staged.bin', '\0\x01binary');
  git('add', 'staged.bin');
  rmSync(join(path, 'src/code.ts'));
  const { text, ...state } = await stateOf(path);
  expect(state).toEqual({
    commit: head,
    dirty: true,
    changed: ['spec.yaml', 'src/code.ts', 'staged.bin'],
    untracked: [],
    diff: sha256(text!),
  });

  const clone = join(root, 'clone');
  execFileSync('git', ['clone', '--quiet', path, clone]);
  execFileSync('git', ['apply'], { cwd: clone, input: text! });
  expect(readFileSync(join(clone, 'spec.yaml'), 'utf8')).toBe('name: two\n');
  expect(readFileSync(join(clone, 'staged.bin'), 'utf8')).toBe('\0\x01binary');
  expect(() => readFileSync(join(clone, 'src/code.ts'))).toThrow('ENOENT');
});

test('untracked files make it dirty without a diff; ignored ones do not count', async () => {
  const { path, write, commit } = committed();
  write('.gitignore', '*.log\n');
  const head = commit();
  write('a.log', '');
  expect(await stateOf(path)).toEqual({ commit: head, ...CLEAN });
  write('notes.txt', '');
  write('folder/a', '');
  write('folder/b', '');
  expect(await stateOf(path)).toEqual({ commit: head, ...CLEAN, dirty: true, untracked: ['folder/', 'notes.txt'] });
});

onlyIf(hasLinks(), test)(
  'the results of the sweep do not count, be they tracked, changed or reached by a link',
  async () => {
    const { path, write, commit } = committed();
    write('results/one/plan.json', '1');
    const head = commit();
    write('results/one/plan.json', '2');
    write('results/one/stages/x', '');
    symlinkSync(path, join(root, 'link'), 'dir');
    for (const results of [join(path, 'results/one'), join(root, 'link', 'results/one')]) {
      expect(await stateOf(path, results)).toEqual({ commit: head, ...CLEAN });
    }
    write('results/other/x', '');
    expect(await stateOf(path, join(path, 'results/one'))).toMatchObject({ untracked: ['results/other/'] });
    // A folder elsewhere, and the repository itself, leave nothing out.
    for (const results of [join(root, 'elsewhere'), path]) {
      expect(await stateOf(path, results)).toMatchObject({ changed: ['results/one/plan.json'] });
    }
  },
);

test('before the first commit there is none, and what is staged is the diff', async () => {
  const { path, git, write } = makeRepository(join(root, 'unborn'));
  expect(await stateOf(path)).toEqual({ commit: null, ...CLEAN });
  write('a.txt', 'text\n');
  git('add', 'a.txt');
  const { text, ...state } = await stateOf(path);
  expect(state).toMatchObject({ commit: null, dirty: true, changed: ['a.txt'] });
  expect(text).toContain('+text');
});

test('nothing is found without a repository, with the reason', async () => {
  const path = join(root, 'plain');
  mkdirSync(path);
  // The temporary folder may lie in a repository.
  const reading = await withVariables({ GIT_CEILING_DIRECTORIES: root }, () => readRepository(path));
  expect(reading.kind === 'none' && reading.reason).toContain('not a git repository');
});

test('nothing is found if git is not installed', async () => {
  const { path } = committed();
  const reading = await withVariables({ PATH: join(root, 'no-programs') }, () => readRepository(path));
  expect(reading).toEqual({ kind: 'none', reason: 'git is not installed' });
});

test('variables of a git hook do not lead to another repository', async () => {
  const [one, other] = [committed(), committed()];
  writeFileSync(join(other.path, 'spec.yaml'), 'changed');
  const hook = { GIT_DIR: join(other.path, '.git'), GIT_WORK_TREE: other.path };
  expect(await withVariables(hook, () => stateOf(one.path))).toEqual({ commit: one.head, ...CLEAN });
});

describe('a repository of another person', () => {
  /** A program that leaves a file when it runs. */
  function trap() {
    const ran = join(root, `ran-${count++}`);
    return { command: `touch '${ran}'; cat`, ran: () => existsSync(ran) };
  }

  test('runs no filter, no monitor, no hook and no program for diffs, by its own configuration or an included file', async () => {
    const { path, write, git } = committed();
    const { command, ran } = trap();
    writeFileSync(join(path, '.git', 'hooks', 'post-index-change'), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    for (const key of ['filter.x.clean', 'filter.x.smudge', 'filter.x.process', 'diff.x.textconv', 'diff.x.command']) {
      git('config', key, `${command} #`);
    }
    git('config', 'filter.x.required', 'true');
    git('config', 'filter.a=b.clean', command);
    for (const key of ['core.fsmonitor', 'diff.external', 'core.pager', 'core.sshCommand', 'core.editor']) {
      git('config', key, command);
    }
    write('included', `[filter "y.z"]\n  clean = "${command}"\n`);
    git('config', 'include.path', '../included');
    write('.gitattributes', '*.ts filter=x diff=x\n*.yaml filter=y.z\nincluded filter=a=b\n');
    write('src/code.ts', 'two();\n');
    write('spec.yaml', 'name: two\n');
    const { changed, text } = await stateOf(path);
    expect(changed).toEqual(['spec.yaml', 'src/code.ts']);
    expect(text).toContain('+two();');
    expect(ran()).toBe(false);
    // The trap works: git as it is set up there runs it.
    try {
      git('status');
    } catch {
      // the filter gives nothing that git could use
    }
    expect(ran()).toBe(true);
  });

  test('does not reach out of its folder, and is not opened as plain files of another repository', async () => {
    const { path, git, write } = committed();
    git('config', 'core.worktree', '/');
    expect(await readRepository(path)).toMatchObject({ kind: 'none' });
    git('config', '--unset', 'core.worktree');
    execFileSync('git', ['init', '--quiet', '--bare', join(path, 'bare')]);
    const { command, ran } = trap();
    // One that says it is none, and that the outer folder is its working tree.
    for (const [key, value] of Object.entries({
      'core.fsmonitor': command,
      'core.bare': 'false',
      'core.worktree': '..',
    })) {
      execFileSync('git', ['--git-dir', join(path, 'bare'), 'config', key, value]);
    }
    write('bare/spec.yaml', '');
    expect(await readRepository(join(path, 'bare'))).toMatchObject({ kind: 'none' });
    expect(ran()).toBe(false);
  });

  test("is read with the user's own filters, which the user has set up", async () => {
    const { path, write } = committed();
    const config = join(root, `config-${count++}`);
    writeFileSync(config, '[filter "x"]\n  clean = sed s/secret/hidden/\n');
    write('.gitattributes', '*.ts filter=x\n');
    write('src/code.ts', 'secret();\n');
    const { text } = await withVariables({ GIT_CONFIG_GLOBAL: config }, () => stateOf(path));
    expect(text).toContain('+hidden();');
  });
});

describe('what may hold secrets', () => {
  test('is named and left out of the diff, which holds the rest', async () => {
    const { path, write, commit } = committed();
    write('.env', 'TOKEN=old\n');
    write('deploy/server.pem', 'old\n');
    commit();
    write('.env', 'TOKEN=hunter2\n');
    rmSync(join(path, 'deploy/server.pem'));
    write('spec.yaml', 'name: two\n');
    const { changed, withheld, text } = await stateOf(join(path, 'src'));
    expect(changed).toEqual(['.env', 'deploy/server.pem', 'spec.yaml']);
    expect(withheld).toEqual(['.env', 'deploy/server.pem']);
    expect(text).toContain('+name: two');
    expect(text).not.toMatch(/TOKEN|server\.pem/);
  });

  test('is nothing if no diff is kept', async () => {
    const { path, write } = committed();
    write('spec.yaml', 'name: two\n');
    const reading = await readRepository(path, undefined, false);
    expect(reading).toMatchObject({ state: { dirty: true, changed: ['spec.yaml'], diff: 'not kept' }, diff: null });
  });

  test.each([
    '.env',
    '.env.local',
    'a/.ENV',
    'b/id_ed25519',
    '.npmrc',
    'x.pem',
    'secrets.yaml',
    'my-credentials.json',
    '.aws/config',
  ])('is %s by its name', (file) => {
    expect(looksSecret(file)).toBe(true);
  });

  test.each([
    '.env.example',
    'src/tokens.ts',
    'environment.yml',
    'id_ed25519.pub',
    'keys.ts',
    'spec.yaml',
    'monkey.txt',
  ])('is not %s', (file) => {
    expect(looksSecret(file)).toBe(false);
  });
});
