// Compiles bin, src, test, bench and tools into dist/, from a clean start so that nothing deleted lingers there; then the
// WebAssembly kernels of the simd device.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

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
