// Compiles bin, src, test, bench and tools into dist/, from a clean start so that nothing deleted lingers there; then the
// WebAssembly kernels of the simd device; then bundles the program into dist/run.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const run = (...command) => execFileSync(process.execPath, command, { stdio: 'inherit' });

rmSync('dist', { recursive: true, force: true });
run(require.resolve('typescript/bin/tsc'));
chmodSync('dist/bin/vitmim.js', 0o755);
run(
  require.resolve('assemblyscript/bin/asc.js'),
  'src/backends/simd/assembly/index.ts',
  ...['--outFile', 'dist/src/backends/simd/kernels.wasm'],
  ...['--optimizeLevel', '3', '--converge', '--noAssert', '--runtime', 'stub'],
  ...['--enable', 'simd', '--enable', 'threads'],
  // The memory is made by src/backends/simd/memory.ts; constants lie in its first page.
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--memoryBase', '1024'],
  // vectors are passed between functions of the module only
  ...['--disableWarning', '112'],
);

// A stage is a process of its own, and loading some 350 modules took longer than training one of the smoke sweep.
// Everything lies in one folder, so that `new URL('./worker.js', import.meta.url)` holds in every file of it.
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
