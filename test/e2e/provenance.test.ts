/** Provenance by the real executable: the files of a sweep from a repository, and the states that it refuses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../../src/common/version.js';
import type { StageProvenance } from '../../src/store/provenance.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { makeRepository } from '../support/repository.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const SPEC = `
name: tiny
job:
  data: { name: shapes, imageSize: 16, trainImages: 20, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
  finetune: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
grid: { objective: [masked] }
`;

const home = join(folder.path, 'home-of-somebody');
const work = makeRepository(join(home, 'my work'));
work.write('tiny.yaml', SPEC);
const commit = work.commit();
const out = join(work.path, 'results/tiny');
const env = { HOME: home, USERPROFILE: home, SECRET: 'a-secret-value', VITMIM_BLAS: 'none' };

/** As a user does it, from the repository. */
const sweep = (...args: string[]) =>
  vitmim(['sweep', 'tiny.yaml', '--device', 'simd', '--jobs', '1', '--out', out, ...args], { cwd: work.path, env });

function stageProvenance(): StageProvenance[] {
  return readdirSync(join(out, 'stages')).map(
    (id) => JSON.parse(readFileSync(join(out, 'stages', id, 'provenance.json'), 'utf8')) as StageProvenance,
  );
}

/** Every file below with provenance of results. */
function written(): string {
  const shared = readdirSync(join(out, 'provenance')).map((name) =>
    readFileSync(join(out, 'provenance', name), 'utf8'),
  );
  return [...shared, ...stageProvenance().map((record) => JSON.stringify(record))].join('\n');
}

it('refuses a dirty tree with --require-clean, and writes nothing', async () => {
  work.write('notes.txt', 'untracked');
  const { code, stderr } = await sweep('--require-clean');
  expect(code).toBe(2);
  expect(stderr).toContain('--require-clean: the repository of tiny.yaml is not as its commit');
  expect(stderr).toContain('  untracked: notes.txt');
  expect(existsSync(out)).toBe(false);
});

it('runs all the same without, says so first, and keeps the diff once', async () => {
  work.write('tiny.yaml', `${SPEC}description: Changed.\n`);
  const { code, stderr } = await sweep();
  expect(code).toBe(0);
  const warning = `warning: the repository of tiny.yaml is dirty at ${commit.slice(0, 10)}: 1 changed (tiny.yaml), 1 untracked (notes.txt)`;
  expect(stderr.split('\n').slice(0, 2)).toContain(warning);

  const records = stageProvenance();
  expect(records).toHaveLength(2);
  for (const { configuration, attempts } of records) {
    expect(configuration).toBe('stage.json');
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({
      origin: {
        vitmim: { version: VERSION },
        spec: { commit, dirty: true, changed: ['tiny.yaml'], untracked: ['notes.txt'] },
        command: [
          'vitmim',
          ...['sweep', 'tiny.yaml', '--device', 'simd', '--jobs', '1'],
          ...['--out', '~/my work/results/tiny'],
        ],
      },
      machine: { node: process.version, platform: process.platform, arch: process.arch },
      device: { name: 'simd', details: { blas: null, adapter: null } },
    });
    expect(attempts[0]!.device.details?.threads).toBeGreaterThan(0);
  }
  const { diff } = records[0]!.attempts[0]!.origin.spec!;
  expect(readFileSync(join(out, 'provenance', `${diff!}.diff`), 'utf8')).toContain('+description: Changed.');
});

it('tells no variables, no home and no user', () => {
  const { username } = userInfo();
  const text = written();
  for (const word of ['a-secret-value', 'home-of-somebody']) expect(text).not.toContain(word);
  expect(text).not.toMatch(new RegExp(`/${username}/`));
});

it('is part of the report', async () => {
  expect((await vitmim(['report', out, '--allow-unhealthy'])).code).toBe(0);
  const page = readFileSync(join(out, 'report.md'), 'utf8');
  expect(page).toContain('## Provenance');
  expect(page).toContain("vitmim sweep tiny.yaml --device simd --jobs 1 --out ~/'my work/results/tiny'");
  expect(page).toContain(`| ${commit.slice(0, 10)}, dirty |`);
  expect(page).toContain('**Not as committed**');
});

it('is found out by a stage that is run by hand, which knows of no spec', async () => {
  const [id] = readdirSync(join(out, 'stages'));
  const { code } = await vitmim(['train', join(out, 'stages', id!, 'stage.json'), '--device', 'simd'], { env });
  expect(code).toBe(0);
  const record = stageProvenance()[0]!.attempts.at(-1)!;
  expect(record.origin.spec).toBeNull();
  expect(record.origin.command?.slice(0, 2)).toEqual(['vitmim', 'train']);
});
