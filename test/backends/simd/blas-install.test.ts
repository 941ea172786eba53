/** `vitmim blas install`: a wheel is verified and unpacked, and device simd then uses its library. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installBlas } from '../../../src/backends/simd/blas-install.js';
import { blasPackages, installedBlas, type BlasPackage } from '../../../src/backends/simd/blas-packages.js';
import { UsageError } from '../../../src/common/errors.js';
import { temporaryFolder } from '../../support/cli.js';
import { setVariables } from '../../support/variables.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const openblas = blasPackages().find(({ name }) => name === 'openblas');

describe.each(openblas ? [openblas] : [])('OpenBLAS from PyPI', (wanted) => {
  const home = join(folder.path, 'real');

  it('is downloaded, verified, loaded and found', () => {
    mkdirSync(join(home, 'mkl-of-old'), { recursive: true });
    const { library, folder: place } = installBlas({ name: 'openblas', home });
    expect(library.name).toBe('OpenBLAS');
    expect(library.version).toMatch(/^0\.3\.\d+/);
    expect(installedBlas(home)).toBe(join(place, wanted.library));
    // One library at a time, with its licence and without what the download left.
    expect(readdirSync(home)).toEqual(['scipy-openblas32-0.3.34.481.3']);
    expect(readdirSync(place)).toContain('LICENSE.txt');
  });

  it('is not downloaded again', () => {
    const steps: string[] = [];
    installBlas({ name: 'openblas', home, onStep: (text) => steps.push(text) });
    expect(steps).toEqual([expect.stringContaining('is installed already')]);
  });

  it('is not installed if the wheel has another hash, and the library before it remains', () => {
    const altered: BlasPackage = { ...wanted, sha256: '0'.repeat(64) };
    const attempt = (): unknown => installBlas({ home, packages: [altered], force: true });
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(/DO NOT MATCH THE HASHES/);
    expect(existsSync(installedBlas(home)!)).toBe(true);
  });
});

describe('an installation that cannot succeed names the remedy', () => {
  const before = setVariables({ PYTHON: process.env.PYTHON });
  afterEach(() => {
    setVariables(before);
  });
  const wheel: BlasPackage = {
    name: 'mkl',
    requirement: 'mkl==1.0',
    sha256: '0'.repeat(64),
    size: { download: 1, disk: 1 },
    files: ['libmkl_rt.so'],
    library: 'libmkl_rt.so.3',
  };
  const install = (options: Parameters<typeof installBlas>[0] = {}): unknown =>
    installBlas({ home: join(folder.path, 'none'), packages: [wheel], ...options });

  it('if Python is missing', () => {
    process.env.PYTHON = join(folder.path, 'no-python');
    expect(install).toThrow(/no-python cannot be run .*name one in PYTHON/);
  });

  it('if Python has no pip', () => {
    const python = join(folder.path, 'python');
    writeFileSync(python, '#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n', { mode: 0o755 });
    process.env.PYTHON = python;
    expect(install).toThrow(/python has no pip: install Python with pip/);
  });

  it('if the platform has no such library', () => {
    expect(() => install({ name: 'openblas' })).toThrow(/there is no openblas for .*; available: mkl/);
    expect(() => install({ packages: [] })).toThrow(/install/);
  });
});
