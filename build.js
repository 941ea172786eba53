// Compiles the WebAssembly kernels of the simd device and writes their typed interface, compiles bin, src, test, bench and
// tools, and bundles the program and the package's entry point, whose types go to dist/run/types. The result is dist/, with
// the bundle in dist/run. All of it is built in a folder of its own, which replaces dist/ at the end: an interrupted build
// leaves dist/ as it was, and nothing deleted remains there.
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kernelExports } from './tools/kernel-exports.js';
import { writeDeclarations } from './tools/declarations.js';
import { freshFolder, recover, replaceFolder } from './tools/replace-folder.js';

const DIST = 'dist';
const PROGRAM = 'run/vitmim.js';

process.chdir(dirname(fileURLToPath(import.meta.url)));
// The first `npx vitmim` in a checkout links it into npm's cache, which runs `prepare` under a spinner without output.
const { npm_command: command, npm_lifecycle_event: script } = process.env;
if (command === 'exec' && script === 'prepare' && existsSync(join(DIST, PROGRAM))) process.exit();

const require = createRequire(import.meta.url);
const running = new Set();
let stopping = false;
recover(DIST);
const fresh = freshFolder(DIST);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
try {
  mkdirSync(fresh);
  await compile();
  chmodSync(join(fresh, 'bin/vitmim.js'), 0o755);
  await bundle();
  await writeDeclarations('src', 'api/index.ts', join(fresh, 'run/types'));
  await replaceFolder(fresh, DIST);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** TypeScript and AssemblyScript at the same time: TypeScript reads an interface of the kernels that rarely changes. */
async function compile() {
  // TypeScript 7 compiles; tools/mutate uses the programming interface of TypeScript 6.
  const tsc = join(dirname(require.resolve('typescript-7/package.json')), 'bin/tsc');
  const compileSources = () => run(tsc, '--outDir', fresh);
  const [sources, kernels] = await Promise.allSettled([compileSources(), compileKernels()]);
  if (kernels.status === 'rejected') throw kernels.reason;
  if (kernels.value === 'new interface') await compileSources();
  else if (sources.status === 'rejected') throw sources.reason;
}

async function compileKernels() {
  const output = `${fresh}/src/backends/simd/kernels`;
  const compileModule = (...options) =>
    run(
      require.resolve('assemblyscript/bin/asc.js'),
      'src/backends/simd/assembly/index.ts',
      ...['--optimizeLevel', '3', '--converge', '--noAssert', '--runtime', 'stub'],
      ...['--enable', 'simd', '--enable', 'threads'],
      // src/backends/simd/memory.ts creates the memory; constants lie in its first page.
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--memoryBase', '1024'],
      // Vectors are passed only between functions of the module.
      ...['--disableWarning', '112'],
      ...options,
    );
  await compileModule('--outFile', `${output}.wasm`, '--bindings', 'raw');
  // The same with fused multiply-adds, for Node 22 and newer.
  await compileModule('--outFile', `${output}-relaxed.wasm`, '--enable', 'relaxed-simd');
  // The module's own bindings give way to a committed file, which callers are checked against.
  const source = 'src/backends/simd/exports.ts';
  const oxfmt = await import('oxfmt');
  const options = JSON.parse(readFileSync('.oxfmtrc.json', 'utf8'));
  const { code: text } = await oxfmt.format(source, kernelExports(readFileSync(`${output}.d.ts`, 'utf8')), options);
  for (const extension of ['d.ts', 'js']) rmSync(`${output}.${extension}`);
  if (existsSync(source) && text === readFileSync(source, 'utf8')) return 'same interface';
  writeFileSync(source, text);
  return 'new interface';
}

/**
 * A stage is a process of its own, and loading some 350 modules took longer than training one of the smoke sweep. All
 * files lie in one folder, so that `new URL('./worker.js', import.meta.url)` is valid in each of them.
 */
async function bundle() {
  const { build } = await import('esbuild');
  await build({
    // Paths are relative to the folder, so that its name is not part of what is built.
    absWorkingDir: resolve(fresh),
    entryPoints: {
      vitmim: 'bin/vitmim.js',
      index: 'src/api/index.js',
      reader: 'src/data/reader.js',
      augmenter: 'src/data/augmenter.js',
      corrupter: 'src/data/corrupter.js',
      worker: 'src/backends/simd/worker.js',
      'tensorflow-build': 'tools/tensorflow-build.js',
    },
    outdir: 'run',
    chunkNames: '[name]-[hash]',
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' },
    plugins: [without(/^@tensorflow\/tfjs-(layers|converter|data|backend-webgl)$/)],
    // These have native parts, which they look for beside themselves.
    external: ['@tensorflow/tfjs-node-gpu', 'koffi', 'sharp', 'webgpu'],
    // What is bundled from CommonJS asks for Node's modules by `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
  for (const kernels of ['kernels.wasm', 'kernels-relaxed.wasm']) {
    copyFileSync(join(fresh, 'src/backends/simd', kernels), join(fresh, 'run', kernels));
  }
  chmodSync(join(fresh, PROGRAM), 0o755);
}

/** Replaces packages by empty ones: tfjs imports parts that are used nowhere, and each stage would read them anew. */
function without(packages) {
  return {
    name: 'without',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: packages }, ({ path }) => ({ path, namespace: 'without' }));
      onLoad({ filter: /./, namespace: 'without' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

/** Runs a program for Node to its end. */
function run(...args) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    running.add(child);
    child.on('error', fail);
    child.on('close', (code) => {
      running.delete(child);
      if (code === 0) done();
      else if (!stopping) fail(new Error(`${args[0]} failed`));
    });
  });
}

/** Ends the compilers, which write to the fresh folder, and removes it. */
async function stop(signal) {
  stopping = true;
  await Promise.all([...running].map((child) => new Promise((done) => child.on('close', done).kill('SIGKILL'))));
  rmSync(fresh, { recursive: true, force: true });
  process.exit(128 + constants.signals[signal]);
}
