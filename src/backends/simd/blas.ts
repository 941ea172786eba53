/**
 * A BLAS, called in place on the shared memory: the one of `vitmim blas install`, else the first of MKL, OpenBLAS, BLIS
 * and Apple's Accelerate that the system has. It is configured for one thread, since vitmim divides the work among its
 * own threads.
 */
import { createRequire } from 'node:module';
import type { LibraryHandle } from 'koffi';
import { messageOf, UsageError } from '../../common/errors.js';
import { blasPackages, installedBlas } from './blas-packages.js';
import type { Gemm } from './gemm.js';

/** By platform, fastest first. The reference BLAS (libblas.so.3) is left out: it is slower than our own product. */
const CANDIDATES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['libmkl_rt.so.3', 'libmkl_rt.so.2', 'libopenblas.so.0', 'libopenblas.so', 'libblis.so.4'],
  darwin: [
    '/System/Library/Frameworks/Accelerate.framework/Accelerate',
    '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
  ],
  win32: ['mkl_rt.3.dll', 'mkl_rt.2.dll', 'libopenblas.dll', 'openblas.dll'],
};

/** The libraries read these when they are loaded. MKL's layer without threads needs no OpenMP library. */
export const ONE_THREAD = {
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  MKL_THREADING_LAYER: 'SEQUENTIAL',
  BLIS_NUM_THREADS: '1',
  VECLIB_MAXIMUM_THREADS: '1',
};

/** What the names of functions begin with. The OpenBLAS on PyPI renames all of its own. */
const PREFIXES = ['', 'scipy_'];

/** A BLAS that was found: all that a thread needs to load it. */
export interface BlasLibrary {
  path: string;
  name: string;
  /** null: the library does not report it. */
  version: string | null;
  /** Name and version, for messages. */
  description: string;
  /** Its product of bfloat16 matrices; null: it has none. */
  bfloat16: string | null;
}

/**
 * Finds a BLAS.
 *
 * @param requested `VITMIM_BLAS`: the path or name of a library, `none`, or undefined to look for one.
 * @returns The library, or the reason why there is none; with what would make it faster, or was passed over.
 * @throws UsageError when the requested library cannot be used.
 */
export function findBlas(requested: string | undefined): (BlasLibrary | { absent: string }) & { advice?: string } {
  if (requested === 'none') return { absent: 'switched off by VITMIM_BLAS=none' };
  Object.assign(process.env, ONE_THREAD);
  try {
    koffi();
  } catch (error) {
    const absent = `koffi, which calls libraries, has no build for this platform (${messageOf(error)})`;
    if (requested) throw new UsageError(`VITMIM_BLAS=${requested} cannot be used: ${absent}`);
    return { absent };
  }
  const installed = installedBlas();
  const candidates = [...(installed === undefined ? [] : [installed]), ...(CANDIDATES[process.platform] ?? [])];
  let broken: { advice: string } | undefined;
  for (const path of requested ? [requested] : candidates) {
    try {
      return { ...openBlas(path), ...broken };
    } catch (error) {
      if (requested) {
        throw new UsageError(
          `VITMIM_BLAS=${requested} cannot be used: ${messageOf(error).trim()}; ` +
            'name a library with cblas_sgemm (32-bit integers), or `none`',
        );
      }
      if (path === installed) broken = { advice: adviceOnBroken(path, error) };
    }
  }
  const remedy = blasPackages().length > 0 ? '`vitmim blas install`' : 'an installed OpenBLAS';
  const advice = `no BLAS was found: ${remedy} makes training about twice as fast`;
  return { absent: 'none was found', advice, ...broken };
}

const adviceOnBroken = (path: string, error: unknown): string =>
  `the BLAS that \`vitmim blas install\` installed is not used, since ${path} cannot be loaded ` +
  `(${messageOf(error).trim()}); \`vitmim blas install --force\` installs it again`;

/** @throws Error if the library at this path, or of this name, cannot be loaded or has no product of matrices. */
export function openBlas(path: string): BlasLibrary {
  const library = load(path);
  productOf(library, 'cblas_sgemm');
  const identity = identify(library, path);
  const description = [identity.name, identity.version].filter(Boolean).join(' ');
  return { path, ...identity, description, bfloat16: bfloat16ProductOf(library) };
}

/**
 * Addresses are passed as numbers: a call takes 0.3 µs; with typed arrays it takes 0.5 µs and a new view for each
 * matrix.
 */
const PARAMETERS = [
  ...['int', 'int', 'int', 'int', 'int', 'int'],
  ...['float', 'uintptr_t', 'int', 'uintptr_t', 'int', 'float', 'uintptr_t', 'int'],
];

const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;

/**
 * Products of bfloat16 matrices with float32 sums, as MKL and OpenBLAS name them. They have the parameters of sgemm.
 */
const BFLOAT16_NAMES = ['cblas_gemm_bf16bf16f32', 'cblas_sbgemm'];

/** The library's product on this memory, for the calling thread. */
export function blasGemm({ path }: Pick<BlasLibrary, 'path'>, memory: WebAssembly.Memory, name = 'cblas_sgemm'): Gemm {
  const multiply = productOf(load(path), name);
  // The address is constant: a shared memory never moves, since its maximum of 4 GiB is reserved from the start.
  const base = Number(koffi().address(new Uint8Array(memory.buffer)));
  return ({ m, n, k, a, b, c, lda, ldb, ldc, transposeA = false, transposeB = false, alpha = 1, beta = 0 }) => {
    const opA = transposeA ? TRANSPOSE : NO_TRANSPOSE;
    const opB = transposeB ? TRANSPOSE : NO_TRANSPOSE;
    multiply(ROW_MAJOR, opA, opB, m, n, k, alpha, base + a, lda, base + b, ldb, beta, base + c, ldc);
  };
}

/** @throws Error if the library has no such function. */
function productOf(library: LibraryHandle, name: string): (...values: number[]) => void {
  const named = PREFIXES.map((prefix) => () => library.func(`${prefix}${name}`, 'void', PARAMETERS));
  return firstOf(named) as (...values: number[]) => void;
}

function bfloat16ProductOf(library: LibraryHandle): string | null {
  const has = (name: string): boolean => {
    try {
      productOf(library, name);
      return true;
    } catch {
      return false;
    }
  };
  return BFLOAT16_NAMES.find(has) ?? null;
}

/** The first value that can be computed. @throws The error of the first one if none can. */
function firstOf<T>(ways: readonly (() => T)[]): T {
  const errors: unknown[] = [];
  for (const way of ways) {
    try {
      return way();
    } catch (error) {
      errors.push(error);
    }
  }
  throw errors[0];
}

/** Loaded on first use: the package has no build for some platforms. */
function koffi(): typeof import('koffi') {
  return createRequire(import.meta.url)('koffi') as typeof import('koffi');
}

function load(path: string): LibraryHandle {
  const library = koffi().load(path);
  // A library that was already loaded has not read the environment variables.
  for (const name of ['openblas_set_num_threads', 'MKL_Set_Num_Threads', 'bli_thread_set_num_threads']) {
    optional(library, (prefix) => `void ${prefix}${name}(int)`)?.(1);
  }
  return library;
}

function identify(library: LibraryHandle, path: string): Pick<BlasLibrary, 'name' | 'version'> {
  const openblas = optional(library, (prefix) => `const char *${prefix}openblas_get_config()`)?.() as
    | string
    | undefined;
  if (openblas) {
    // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64"
    const [name, version] = openblas.split(' ');
    return { name: name!, version: version ?? null };
  }
  const name = (path.split(/[\\/]/).at(-1) ?? path).replace(/^lib/, '').replace(/\.(so|dll|dylib).*$/, '');
  return { name, version: mklVersion(library) ?? blisVersion(library) ?? null };
}

/** "2024.2.2" of "Intel(R) oneAPI Math Kernel Library Version 2024.2.2-Product Build …". */
function mklVersion(library: LibraryHandle): string | undefined {
  const text = Buffer.alloc(256);
  optional(library, () => 'void MKL_Get_Version_String(_Out_ char *text, int length)')?.(text, text.length);
  return / Version (\S+?)(?:-|\s)/.exec(text.toString('latin1'))?.[1];
}

function blisVersion(library: LibraryHandle): string | undefined {
  return optional(library, () => 'const char *bli_info_get_version_str()')?.() as string | undefined;
}

/** A function that only some libraries have. */
function optional(
  library: LibraryHandle,
  prototype: (prefix: string) => string,
): ((...values: unknown[]) => unknown) | undefined {
  try {
    return firstOf(PREFIXES.map((prefix) => () => library.func(prototype(prefix)))) as (
      ...values: unknown[]
    ) => unknown;
  } catch {
    return undefined;
  }
}
