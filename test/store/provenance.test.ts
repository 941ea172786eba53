import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from '../../src/store/files.js';
import { stagePaths, sweepPaths } from '../../src/store/layout.js';
import {
  readOrigin,
  openProvenance,
  readProvenance,
  recordAttempt,
  storeOrigin,
  type AttemptProvenance,
  type Origin,
} from '../../src/store/provenance.js';
import { temporaryFolder } from '../runner/support.js';

const root = temporaryFolder();
let count = 0;

const newStage = () => stagePaths(join(root, String(count++)));

const DIFF = 'a'.repeat(64);
const ORIGIN: Origin = {
  vitmim: { version: '1.0.0', repository: null, lockfile: null },
  spec: { commit: 'b'.repeat(40), dirty: true, changed: ['x'], untracked: [], diff: DIFF },
  command: ['vitmim', 'sweep', 'x.yaml'],
};
const ATTEMPT: AttemptProvenance = {
  origin: ORIGIN,
  machine: { node: 'v20.0.0', platform: 'linux', arch: 'x64', release: '6.0', cpu: 'A processor' },
  device: {
    name: 'simd',
    description: 'OpenBLAS 0.3.21, 1 thread',
    details: {
      backend: 'simd',
      adapter: null,
      driver: null,
      blas: { name: 'OpenBLAS', version: '0.3.21' },
      threads: 1,
    },
  },
};
const ELSEWHERE: AttemptProvenance = { ...ATTEMPT, machine: { ...ATTEMPT.machine, cpu: 'Another processor' } };

describe('the provenance of a stage', () => {
  test('is the provenance of its attempt', () => {
    const paths = newStage();
    expect(readProvenance(paths)).toBeNull();
    recordAttempt(paths, ATTEMPT);
    expect(readProvenance(paths)).toEqual({ configuration: 'stage.json', attempts: [ATTEMPT] });
  });

  test('grows if it continues from a checkpoint under other conditions, and only then', () => {
    const paths = newStage();
    recordAttempt(paths, ATTEMPT);
    writeFileSync(paths.checkpoint, '');
    recordAttempt(paths, ATTEMPT);
    recordAttempt(paths, ELSEWHERE);
    recordAttempt(paths, ELSEWHERE);
    expect(readProvenance(paths)?.attempts).toEqual([ATTEMPT, ELSEWHERE]);
  });

  test('begins anew if the stage does', () => {
    const paths = newStage();
    recordAttempt(paths, ATTEMPT);
    recordAttempt(paths, ELSEWHERE);
    expect(readProvenance(paths)?.attempts).toEqual([ELSEWHERE]);
  });

  test('is read as the first version wrote it', () => {
    const paths = newStage();
    writeJson(paths.provenance, { vitmim: '0.1.0', node: 'v20.0.0', device: 'simd', description: 'no BLAS' });
    expect(readProvenance(paths)?.attempts).toMatchObject([
      {
        origin: { vitmim: { version: '0.1.0', repository: null }, spec: null, command: null },
        machine: { node: 'v20.0.0', cpu: null },
        device: { name: 'simd', description: 'no BLAS', details: null },
      },
    ]);
  });

  test('counts as missing if it is damaged, and does not keep a stage from continuing', () => {
    const paths = newStage();
    writeJson(paths.provenance, { attempts: [] });
    expect(openProvenance(paths)).toMatchObject({ kind: 'damaged' });
    expect(readProvenance(paths)).toBeNull();
    writeFileSync(paths.checkpoint, '');
    recordAttempt(paths, ATTEMPT);
    expect(readProvenance(paths)?.attempts).toEqual([ATTEMPT]);
  });
});

describe('the origin of a sweep', () => {
  const paths = sweepPaths(join(root, 'sweep'));

  test('is kept once, with its diffs, however often the sweep is run', () => {
    const store = (): string => storeOrigin(paths, ORIGIN, new Map([[DIFF, Buffer.from('a diff')]]));
    const path = store();
    expect(store()).toBe(path);
    expect(readOrigin(path)).toEqual(ORIGIN);
    expect(readFileSync(join(paths.provenance, `${DIFF}.diff`), 'utf8')).toBe('a diff');
    expect(readdirSync(paths.provenance)).toHaveLength(2);
  });

  test('of another command or state lies beside', () => {
    storeOrigin(paths, { ...ORIGIN, command: null }, new Map());
    expect(readdirSync(paths.provenance)).toHaveLength(3);
  });

  test('must be there when a stage asks for it', () => {
    const path = join(root, 'none.json');
    expect(existsSync(path)).toBe(false);
    expect(() => readOrigin(path)).toThrow(`there is no ${path}, which vitmim sweep wrote; start the sweep again`);
  });
});
