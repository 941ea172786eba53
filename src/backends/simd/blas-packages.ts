/**
 * The BLAS libraries that `vitmim blas install` can install without root, and their folders. Only looks at files and
 * loads nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath } from '../../common/cache-folder.js';

export type BlasName = 'mkl' | 'openblas';

/** A wheel on PyPI that contains a BLAS for one platform. */
export interface BlasPackage {
  readonly name: BlasName;
  /** The project and version on PyPI. */
  readonly requirement: string;
  /** Of the wheel for this platform. */
  readonly sha256: string;
  /** Sizes of the wheel and of the unpacked files, in MB. */
  readonly size: { readonly download: number; readonly disk: number };
  /** What the names of the needed files begin with. */
  readonly files: readonly string[];
  /** The file that is loaded; it finds the others in its folder. */
  readonly library: string;
}

type Platform = `${NodeJS.Platform}-${string}`;

const MKL = 'mkl==2026.2.0';
const OPENBLAS = 'scipy-openblas32==0.3.34.481.3';

/**
 * The layers that run on one thread, and the kernels for each generation of processors. SSE4-only kernels are left out.
 */
const MKL_PARTS = ['rt', 'core', 'intel_lp64', 'sequential', 'def', 'avx2', 'avx512', 'avx10'];

/** For each platform, the default first. macOS is missing: Accelerate is part of it. */
const PACKAGES: Partial<Record<Platform, readonly BlasPackage[]>> = {
  'linux-x64': [
    {
      name: 'mkl',
      requirement: MKL,
      sha256: 'eaab1875ce9f47ab3c66d5632cef06baf768c05781f2f28847bdbc4343500ed7',
      size: { download: 221, disk: 404 },
      files: MKL_PARTS.map((part) => `libmkl_${part}.so`),
      library: 'libmkl_rt.so.3',
    },
    {
      name: 'openblas',
      requirement: OPENBLAS,
      sha256: '0595f94cd58c1f8a0d90c975621f4587337a003916b1979e834ebdf2cb5d9504',
      size: { download: 8, disk: 25 },
      files: ['libscipy_openblas.so'],
      library: 'libscipy_openblas.so',
    },
  ],
  'linux-arm64': [
    {
      name: 'openblas',
      requirement: OPENBLAS,
      sha256: 'e085dddbc5b9aa130f83def515d31c440e69f387a90c7e63b154a5575b4466bc',
      size: { download: 9, disk: 30 },
      files: ['libscipy_openblas.so'],
      library: 'libscipy_openblas.so',
    },
  ],
  'win32-x64': [
    {
      name: 'mkl',
      requirement: MKL,
      sha256: '5f2c187f0dda47efa19c1922cb3c8815924b8e5ed1613d28a3a69ec2327d4045',
      size: { download: 185, disk: 400 },
      files: MKL_PARTS.map((part) => `mkl_${part}.`),
      library: 'mkl_rt.3.dll',
    },
    {
      name: 'openblas',
      requirement: OPENBLAS,
      sha256: '963e311354df08856c22aad17d77209448d2d8fc3bc4b3b1d87912828797cf13',
      size: { download: 7, disk: 25 },
      files: ['libscipy_openblas.dll'],
      library: 'libscipy_openblas.dll',
    },
  ],
};

/** The libraries for a platform, the default first; empty if none can be installed. */
export function blasPackages(
  platform: NodeJS.Platform = process.platform,
  architecture: string = process.arch,
): readonly BlasPackage[] {
  return PACKAGES[`${platform}-${architecture}`] ?? [];
}

/** `vitmim/blas` in `$XDG_CACHE_HOME`, or in `.cache` in the user's home folder. */
export function blasHome(environment: NodeJS.ProcessEnv = process.env): string {
  return cachePath('blas', environment);
}

/** The folder of an installed package. It contains the version, so another version of vitmim finds its own. */
export function blasFolder({ requirement }: BlasPackage, home = blasHome()): string {
  return join(home, requirement.replace('==', '-'));
}

/** The path of the installed library; undefined if none is installed. At most one is installed at a time. */
export function installedBlas(home = blasHome(), packages = blasPackages()): string | undefined {
  return packages.map((entry) => join(blasFolder(entry, home), entry.library)).find((path) => existsSync(path));
}
