// Compiles the WebAssembly kernels of the simd device and writes their typed interface, then compiles bin, src, test,
// bench and tools into dist/. Starts from an empty dist/, so that nothing deleted remains there.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as prettier from 'prettier';
import { kernelExports } from './tools/kernel-exports.js';

const require = createRequire(import.meta.url);
const run = (...command) => execFileSync(process.execPath, command, { stdio: 'inherit' });

rmSync('dist', { recursive: true, force: true });
await compileKernels();
run(require.resolve('typescript/bin/tsc'));
chmodSync('dist/bin/vitmim.js', 0o755);

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
