/**
 * Builds device tensorflow: the addon of @tensorflow/tfjs-node-gpu, from the sources in its npm package, for a current
 * TensorFlow from PyPI. The result is in the user's cache, not in node_modules, so that one build is enough.
 *
 *   npm run tensorflow:build -- [--cpu | --gpu | --library DIR] [--tensorflow 2.21.0] [--force]
 *
 * --cpu uses the wheel `tensorflow-cpu`. --gpu uses `tensorflow` with NVIDIA's libraries for CUDA 12, about 3 GB, and
 * is the default if there is an NVIDIA driver. --library uses an installed library: the folder that
 * `python3 -c 'import tensorflow as tf; print(tf.sysconfig.get_lib())'` prints. Needs Linux, Python with pip (PYTHON
 * selects another one) and a C++ compiler (CXX selects another one).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ADDON_FILE,
  BUILD_FILE,
  buildHome,
  PACKAGE_FOLDER,
  readBuild,
  type Build,
} from '../src/backends/tensorflow/installation.js';
import { nvidia } from '../src/backends/nvidia.js';
import { messageOf } from '../src/common/errors.js';

const OPTIONS = {
  cpu: { type: 'boolean', default: false },
  gpu: { type: 'boolean', default: false },
  library: { type: 'string' },
  tensorflow: { type: 'string', default: '2.21.0' },
  force: { type: 'boolean', default: false },
} as const;

const PACKAGE = '@tensorflow/tfjs-node-gpu';
/** Of Node, the addon uses only Node-API. Not every Node includes its headers. */
const NODE_HEADERS = 'node-api-headers@1.9.0';
/** The files that the addon includes, of 400 MB. */
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/'];
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/**
 * Unpacks the files of a wheel that begin with one of the given names; prints the requirements of its extra `and-cuda`.
 */
const UNPACK = `
import sys, zipfile
wheel, site, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    archive.extractall(site, [name for name in names if name.startswith(tuple(wanted))])
    metadata = archive.read(next(name for name in names if name.endswith('.dist-info/METADATA'))).decode()
for line in metadata.splitlines():
    if line.startswith('Requires-Dist: ') and 'and-cuda' in line:
        print(line.removeprefix('Requires-Dist: ').split(';')[0])
`;

const python = process.env.PYTHON ?? 'python3';
const compiler = process.env.CXX ?? 'c++';
const home = buildHome();
const work = `${home}.${process.pid}`;

try {
  build();
} catch (error) {
  console.error(`tensorflow:build: ${messageOf(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

function build(): void {
  if (process.platform !== 'linux') throw new Error(`builds on Linux only, not on ${process.platform}`);
  const { values: options } = parseArgs({ options: OPTIONS });
  const wanted = wantedBuild(options);
  const present = readBuild(home);
  if (!options.force && JSON.stringify(present) === JSON.stringify(wanted)) {
    console.log(`TensorFlow ${wanted.tensorflow} for ${wanted.kind} is already built, in ${home}`);
    return;
  }
  if (!present && existsSync(home) && readdirSync(home).length > 0) {
    throw new Error(`${home} contains files that are not a build; name another folder in VITMIM_TENSORFLOW`);
  }
  checkTools(wanted);
  mkdirSync(work, { recursive: true });
  fetchFromNpm(wanted.package, PACKAGE_FOLDER);
  fetchFromNpm(NODE_HEADERS, 'node');
  if (wanted.library === null) fetchLibrary(wanted.kind === 'gpu', wanted.tensorflow);
  compile(wanted.library);
  const tensorflow = versionOf(join(work, ADDON_FILE));
  writeFileSync(join(work, BUILD_FILE), `${JSON.stringify({ ...wanted, tensorflow }, null, 2)}\n`);
  rmSync(home, { recursive: true, force: true });
  renameSync(work, home);
  console.log(`TensorFlow ${tensorflow} is built, in ${home}; \`npx vitmim doctor\` measures its speed`);
}

function wantedBuild(options: { cpu: boolean; gpu: boolean; library?: string; tensorflow: string }): Build {
  if (Number(options.cpu) + Number(options.gpu) + Number(options.library !== undefined) > 1) {
    throw new Error('--cpu, --gpu and --library exclude each other');
  }
  const { optionalDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const common = { package: `${PACKAGE}@${optionalDependencies[PACKAGE]!}`, tensorflow: options.tensorflow };
  if (options.library !== undefined) return { ...common, kind: 'library', library: resolve(options.library) };
  const gpu = options.gpu || (!options.cpu && nvidia().driver !== null);
  return { ...common, kind: gpu ? 'gpu' : 'cpu', library: null };
}

/** Reports missing tools before anything large is downloaded. */
function checkTools({ library }: Build): void {
  if (library !== null) checkLibrary(library);
  const remedies = [
    ...(library === null
      ? [[python, ['-m', 'pip', '--version'], 'install pip, or name a Python that has it in PYTHON']]
      : []),
    [compiler, ['--version'], 'install a C++ compiler such as g++, or name one in CXX'],
  ] as [string, string[], string][];
  for (const [command, args, remedy] of remedies) {
    try {
      run(command, args);
    } catch (error) {
      throw new Error(`${messageOf(error).trimEnd()}\n${remedy}`);
    }
  }
}

function checkLibrary(folder: string): void {
  const missing = [...LIBRARIES, 'include'].filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) throw new Error(`${folder} lacks ${missing.join(', ')}`);
}

/** Unpacks a package, without its dependencies and without running its scripts. */
function fetchFromNpm(spec: string, folder: string): void {
  step(`npm pack ${spec}`);
  const packed = join(work, 'packed');
  mkdirSync(packed, { recursive: true });
  run('npm', ['pack', spec, '--silent', '--pack-destination', packed]);
  mkdirSync(join(work, folder));
  run('tar', ['-xzf', join(packed, readdirSync(packed)[0]!), '-C', join(work, folder), '--strip-components', '1']);
  rmSync(packed, { recursive: true });
}

/**
 * Arranges TensorFlow like `pip install`, in `site/tensorflow` and, for GPUs, `site/nvidia`: its libraries search for
 * NVIDIA's there. Of the wheel, only the files that the addon needs are unpacked.
 */
function fetchLibrary(gpu: boolean, version: string): void {
  const name = gpu ? 'tensorflow' : 'tensorflow-cpu';
  step(`pip download ${name}==${version}`);
  const wheels = join(work, 'wheels');
  // Any version of Python: the libraries do not depend on it.
  const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check'];
  const binary = ['--no-deps', '--only-binary=:all:', '--python-version=3.12'];
  run(python, [...pip, 'download', ...binary, '--dest', wheels, `${name}==${version}`]);
  const wheel = join(wheels, readdirSync(wheels)[0]!);
  const site = join(work, 'site');
  const wantedFiles = [...LIBRARIES, ...HEADERS.map((folder) => `include/${folder}`)];
  const requirements = run(python, ['-c', UNPACK, wheel, site, ...wantedFiles.map((file) => `tensorflow/${file}`)]);
  rmSync(wheels, { recursive: true });
  if (!gpu) return;
  const nvidiaLibraries = requirements.split('\n').filter((line) => line.startsWith('nvidia-'));
  step(`pip install ${nvidiaLibraries.join(' ')}`);
  run(python, [...pip, 'install', '--no-compile', ...binary, '--target', site, ...nvidiaLibraries]);
}

/** @param library The folder of an installed library, which stays in place; null: the one in `site`. */
function compile(library: string | null): void {
  const folder = library ?? join(work, 'site', 'tensorflow');
  checkLibrary(folder);
  const sources = join(work, PACKAGE_FOLDER, 'binding');
  step('compile the addon');
  run(compiler, [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    ...['-I', join(folder, 'include'), '-I', join(work, 'node', 'include'), '-I', sources],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(sources, file)),
    ...LIBRARIES.map((file) => join(folder, file)),
    // Relative to the addon, so that the whole build can be moved.
    `-Wl,-rpath,${library ?? '$ORIGIN/site/tensorflow'}`,
    ...['-o', join(work, ADDON_FILE)],
  ]);
  rmSync(join(work, 'node'), { recursive: true });
}

/** TensorFlow's version, by loading it: a build that does not load is not kept. */
function versionOf(addon: string): string {
  return run(process.execPath, ['-p', 'require(process.argv[1]).TF_Version', addon]).trim();
}

function step(what: string): void {
  console.log(`· ${what}`);
}

/** @returns Its standard output. Its standard error is shown if it fails. */
function run(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error) throw new Error(`${command} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} … failed:\n${stderr || stdout}`);
  return stdout;
}
