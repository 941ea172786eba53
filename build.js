// Compiles the WebAssembly kernels of the simd device and writes their typed interface, then compiles bin, src, test,
// bench and tools into dist/, then bundles the program into dist/run. Starts from an empty dist/, so that nothing deleted
// remains there.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import * as prettier from 'prettier';
import { kernelExports } from './tools/kernel-exports.js';

const require = createRequire(import.meta.url);
const run = (...command) => execFileSync(process.execPath, command, { stdio: 'inherit' });

rmSync('dist', { recursive: true, force: true });
await compileKernels();
// TypeScript 7 compiles; typescript-eslint and tools/mutate use the programming interface of TypeScript 6.
run(join(dirname(require.resolve('typescript-7/package.json')), 'bin/tsc'));
chmodSync('dist/bin/vitmim.js', 0o755);
await bundle();

async function compileKernels() {
  const output = 'dist/src/backends/simd/kernels';
  run(
    require.resolve('assemblyscript/bin/asc.js'),
    'src/backends/simd/assembly/index.ts',
    ...['--outFile', `${output}.wasm`, '--bindings', 'raw'],
    ...['--optimizeLevel', '3', '--converge', '--noAssert', '--runtime', 'stub'],
    ...['--enable', 'simd', '--enable', 'threads'],
    // src/backends/simd/memory.ts creates the memory; constants lie in its first page.
    ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--memoryBase', '1024'],
    // Vectors are passed only between functions of the module.
    ...['--disableWarning', '112'],
  );
  // The module's own bindings give way to a committed file, which callers are checked against.
  const source = 'src/backends/simd/exports.ts';
  const options = { ...(await prettier.resolveConfig(source)), filepath: source };
  const text = await prettier.format(kernelExports(readFileSync(`${output}.d.ts`, 'utf8')), options);
  if (text !== read(source)) writeFileSync(source, text);
  for (const extension of ['d.ts', 'js']) rmSync(`${output}.${extension}`);
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/**
 * A stage is a process of its own, and loading some 350 modules took longer than training one of the smoke sweep. All
 * files lie in one folder, so that `new URL('./worker.js', import.meta.url)` is valid in each of them.
 */
async function bundle() {
  await build({
    entryPoints: {
      vitmim: 'dist/bin/vitmim.js',
      reader: 'dist/src/data/reader.js',
      worker: 'dist/src/backends/simd/worker.js',
    },
    outdir: 'dist/run',
    chunkNames: '[name]-[hash]',
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' },
    // These have native parts, which they look for beside themselves.
    external: ['@tensorflow/tfjs-node-gpu', 'koffi', 'sharp', 'webgpu'],
    // What is bundled from CommonJS asks for Node's modules by `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
  copyFileSync('dist/src/backends/simd/kernels.wasm', 'dist/run/kernels.wasm');
  chmodSync('dist/run/vitmim.js', 0o755);
}
