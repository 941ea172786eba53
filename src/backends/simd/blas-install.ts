/**
 * Installs a BLAS from PyPI into a folder of the user's. pip downloads the wheel, so that its index, proxy and
 * certificates are those that the user has configured, and verifies it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, UsageError } from '../../common/errors.js';
import type { Address } from './address.js';
import { blasFolder, blasHome, blasPackages, type BlasName, type BlasPackage } from './blas-packages.js';
import { blasGemm, ONE_THREAD, openBlas, type BlasLibrary } from './blas.js';

/**
 * Unpacks the files of a wheel whose names begin with one of the given texts, without their folders, and the licence.
 */
const UNPACK = `
import os, sys, zipfile
wheel, folder, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        base = os.path.basename(name)
        if base.startswith(tuple(wanted)) or base.upper().startswith('LICENSE'):
            with archive.open(name) as source, open(os.path.join(folder, base), 'wb') as target:
                while piece := source.read(1 << 20):
                    target.write(piece)
`;

export interface BlasInstallOptions {
  /** undefined: the default of this platform. */
  name?: BlasName;
  /** Install the library again if it is installed already. */
  force?: boolean;
  home?: string;
  /** One of the packages of {@link blasPackages}; a test names others. */
  packages?: readonly BlasPackage[];
  /** Called before each step, with its description. */
  onStep?: (text: string) => void;
}

/**
 * Installs a BLAS in place of the one that was installed before.
 *
 * @returns The library, as device simd finds it from now on, and its folder.
 * @throws UsageError if the platform has no package, pip is missing, the download fails or the library does not load.
 *   The library that was installed before then remains.
 */
export function installBlas(options: BlasInstallOptions = {}): { library: BlasLibrary; folder: string } {
  const { home = blasHome(), packages = blasPackages(), onStep = () => undefined } = options;
  const wanted = chosen(packages, options.name);
  const folder = blasFolder(wanted, home);
  if (options.force !== true && existsSync(join(folder, wanted.library))) {
    onStep(`${wanted.requirement} is installed already; --force installs it again`);
    return { library: check(join(folder, wanted.library)), folder };
  }
  const work = join(home, '.installing');
  rmSync(work, { recursive: true, force: true });
  try {
    mkdirSync(join(work, 'files'), { recursive: true });
    onStep(`downloading ${wanted.requirement} from PyPI: ${wanted.size.download} MB, ${wanted.size.disk} MB on disk`);
    fetchWheel(wanted, work);
    const [wheel] = readdirSync(join(work, 'wheel'));
    python(['-c', UNPACK, join(work, 'wheel', wheel!), join(work, 'files'), ...wanted.files]);
    const library = check(join(work, 'files', wanted.library));
    // A library that is loaded may be replaced on Unix: its file remains until the last process ends.
    for (const other of readdirSync(home)) {
      if (join(home, other) !== work) rmSync(join(home, other), { recursive: true, force: true });
    }
    renameSync(join(work, 'files'), folder);
    return { library: { ...library, path: join(folder, wanted.library) }, folder };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${home}: the BLAS cannot be installed there (${messageOf(error)})`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function chosen(packages: readonly BlasPackage[], name: BlasName | undefined): BlasPackage {
  const found = name === undefined ? packages[0] : packages.find((entry) => entry.name === name);
  if (found) return found;
  const here = `${process.platform} on ${process.arch}`;
  if (process.platform === 'darwin') {
    throw new UsageError(
      'macOS has a BLAS of its own, Accelerate, which device simd uses; there is nothing to install',
    );
  }
  throw new UsageError(
    packages.length === 0
      ? `there is no BLAS to install for ${here}; install OpenBLAS with the system's package manager`
      : `there is no ${name ?? 'BLAS'} for ${here}; available: ${packages.map((entry) => entry.name).join(', ')}`,
  );
}

/**
 * pip checks the hash before anything is unpacked. The wheels contain no Python code, so any version of Python will do.
 */
function fetchWheel({ requirement, sha256 }: BlasPackage, work: string): void {
  const requirements = join(work, 'requirements.txt');
  writeFileSync(requirements, `${requirement} --hash=sha256:${sha256}\n`);
  python([
    ...['-m', 'pip', '--disable-pip-version-check', 'download', '--no-deps', '--only-binary=:all:', '--require-hashes'],
    ...['--dest', join(work, 'wheel'), '-r', requirements],
  ]);
}

/** Runs Python, with its progress on standard error. @throws UsageError with its output if it fails. */
function python(args: readonly string[]): void {
  const command = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const remedy =
    'install Python with pip, or name one in PYTHON; or install a BLAS with the system package manager ' +
    '(Debian: apt install libopenblas0)';
  if (error) throw new UsageError(`${command} cannot be run (${error.message}): ${remedy}`);
  if (/No module named '?pip/.test(stderr)) throw new UsageError(`${command} has no pip: ${remedy}`);
  if (status !== 0)
    throw new UsageError(`${command} ${args[0] === '-c' ? '' : args.slice(0, 4).join(' ')} failed:\n${stderr.trim()}`);
}

/** Side of the matrices of {@link check}; MKL loads the kernels for this processor with the first product. */
const SIDE = 64;

/** Loads the library and multiplies with it. @throws Error if it does not load or the product is wrong. */
function check(path: string): BlasLibrary {
  Object.assign(process.env, ONE_THREAD);
  const library = openBlas(path);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const [a, b, c] = [0, 1, 2].map((index) => new Float32Array(memory.buffer, 4 * index * SIDE * SIDE, SIDE * SIDE));
  // a = 2·identity, so the product is 2·b.
  for (let i = 0; i < SIDE; i++) a![i * SIDE + i] = 2;
  b!.forEach((_, i) => (b![i] = i));
  const addressOf = (matrix: Float32Array): Address => matrix.byteOffset as Address;
  const addresses = { a: addressOf(a!), b: addressOf(b!), c: addressOf(c!) };
  blasGemm(library, memory)({ m: SIDE, n: SIDE, k: SIDE, ...addresses, lda: SIDE, ldb: SIDE, ldc: SIDE, beta: 0 });
  if (!c!.every((value, i) => value === 2 * i)) throw new Error(`${path} computes a wrong product`);
  return library;
}
