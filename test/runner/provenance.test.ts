import { cpSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../src/common/canonical.js';
import { UsageError } from '../../src/common/errors.js';
import { collectOrigin, describeDirt, refuseUnlessClean, thisMachine } from '../../src/runner/provenance.js';
import { makeRepository } from '../support/repository.js';
import { withVariables } from '../support/variables.js';
import { temporaryFolder } from './support.js';

const root = temporaryFolder();
let count = 0;

/** The spec's repository and a checkout of vitmim with a lockfile, both committed. */
function checkouts() {
  const folder = join(root, String(count++));
  const spec = makeRepository(join(folder, 'work'));
  spec.write('sweep.yaml', 'name: one\n');
  const vitmim = makeRepository(join(folder, 'vitmim'));
  vitmim.write('package.json', '{"name":"vitmim"}');
  vitmim.write('package-lock.json', '{"lock":1}');
  const commits = { spec: spec.commit(), vitmim: vitmim.commit() };
  const collect = (args: string[] = []) =>
    collectOrigin({
      version: '1.2.3',
      args,
      spec: join(spec.path, 'sweep.yaml'),
      results: join(spec.path, 'results/one'),
      packageRoot: vitmim.path,
    });
  return { folder, spec, vitmim, commits, collect };
}

const NOTHING = { dirty: false, changed: [], untracked: [], diff: null };

test('what is committed is told by its commits, the lockfile by its hash', async () => {
  const { commits, collect } = checkouts();
  const collected = await collect(['sweep', 'sweep.yaml', '--set', 'job.seed=1']);
  expect(collected.origin).toEqual({
    vitmim: {
      version: '1.2.3',
      repository: { commit: commits.vitmim, ...NOTHING },
      lockfile: sha256('{"lock":1}'),
    },
    spec: { commit: commits.spec, ...NOTHING },
    command: ['vitmim', 'sweep', 'sweep.yaml', '--set', 'job.seed=1'],
  });
  expect(collected.diffs.size).toBe(0);
  expect(describeDirt(collected)).toEqual([]);
  expect(() => {
    refuseUnlessClean(collected);
  }).not.toThrow();
});

test('a shrinkwrap counts before a lockfile, as for npm', async () => {
  const { vitmim, collect } = checkouts();
  vitmim.write('npm-shrinkwrap.json', '{"lock":2}');
  expect((await collect()).origin.vitmim.lockfile).toBe(sha256('{"lock":2}'));
});

test('each dirty repository gives its diff, a line, and a refusal with the files and the remedy', async () => {
  const { spec, vitmim, commits, collect } = checkouts();
  spec.write('sweep.yaml', 'name: two\n');
  spec.write('notes.txt', '');
  vitmim.write('package-lock.json', '{"lock":2}');
  const collected = await collect();
  const { origin, diffs } = collected;
  const [ofSpec, ofVitmim] = [origin.spec!, origin.vitmim.repository!];
  expect(Buffer.from(diffs.get(ofSpec.diff!)!).toString()).toContain('+name: two');
  expect(Buffer.from(diffs.get(ofVitmim.diff!)!).toString()).toContain('+{"lock":2}');
  const file = join(spec.path, 'sweep.yaml');
  expect(describeDirt(collected)).toEqual([
    `the repository of ${file} is dirty at ${commits.spec.slice(0, 10)}: 1 changed (sweep.yaml), 1 untracked (notes.txt)`,
    `vitmim's own checkout is dirty at ${commits.vitmim.slice(0, 10)}: 1 changed (package-lock.json)`,
  ]);
  const refuse = (): void => {
    refuseUnlessClean(collected);
  };
  expect(refuse).toThrow(UsageError);
  expect(refuse).toThrow(
    `--require-clean: the repository of ${file} is not as its commit ${commits.spec.slice(0, 10)}:\n` +
      '  changed: sweep.yaml\n  untracked: notes.txt\n' +
      'commit or stash these, list in .gitignore the files that are no part of the work, or run without --require-clean',
  );
});

test('a refusal counts the files that it does not list', async () => {
  const { spec, collect } = checkouts();
  for (let i = 0; i < 25; i++) spec.write(`file-${i}`, '');
  const collected = await collect();
  expect(() => {
    refuseUnlessClean(collected);
  }).toThrow('\n  and 5 more\n');
});

test('one repository of both is looked at once', async () => {
  const { vitmim } = checkouts();
  vitmim.write('experiments/new.yaml', '');
  const collected = await collectOrigin({
    version: '1',
    args: [],
    spec: join(vitmim.path, 'experiments/new.yaml'),
    results: join(vitmim.path, 'results'),
    packageRoot: vitmim.path,
  });
  expect(collected.repositories).toHaveLength(1);
  expect(collected.origin.spec).toEqual(collected.origin.vitmim.repository);
  expect(collected.origin.spec).toMatchObject({ untracked: ['experiments/'] });
});

test('a package inside another repository is no checkout', async () => {
  const { spec, vitmim } = checkouts();
  const installed = join(spec.path, 'node_modules/vitmim');
  cpSync(vitmim.path, installed, { recursive: true, filter: (path) => !path.endsWith('.git') });
  const { origin } = await collectOrigin({ version: '1', args: [], results: root, packageRoot: installed });
  expect(origin).toMatchObject({ vitmim: { repository: null, lockfile: sha256('{"lock":1}') }, spec: null });
});

test('without a repository null is recorded, and --require-clean refuses with the reason', async () => {
  await withVariables({ GIT_CEILING_DIRECTORIES: root }, async () => {
    const collected = await collectOrigin({
      version: '1',
      args: [],
      spec: join(root, 'sweep.yaml'),
      results: join(root, 'results'),
      packageRoot: join(root, 'nowhere'),
    });
    expect(collected.origin).toMatchObject({ vitmim: { repository: null, lockfile: null }, spec: null });
    expect(describeDirt(collected)).toEqual([]);
    expect(() => {
      refuseUnlessClean(collected);
    }).toThrow(/cannot be read \(not a git repository.*put it under git and commit it, or run without --require-clean/);
  });
});

test.each([
  [join(homedir(), 'data'), join('~', 'data')],
  [`--out=${homedir()}`, '--out=~'],
  [`data.path=[${homedir()}/a,${homedir()}/b]`, 'data.path=[~/a,~/b]'],
  [`${homedir()}-other/data`, `${homedir()}-other/data`],
  [`/mnt${homedir()}/data`, `/mnt${homedir()}/data`],
  ['results/one', 'results/one'],
])('the home folder is not named in the command: %s', async (argument, expected) => {
  const { origin } = await collectOrigin({ version: '1', args: [argument], results: root, packageRoot: root });
  expect(origin.command).toEqual(['vitmim', expected]);
});

test('vitmim finds its own lockfile', async () => {
  const { origin } = await collectOrigin({ version: '1', args: [], results: root });
  expect(origin.vitmim.lockfile).toMatch(/^[0-9a-f]{64}$/);
});

test('the machine is this one', () => {
  expect(thisMachine()).toMatchObject({ node: process.version, platform: process.platform, arch: process.arch });
});
