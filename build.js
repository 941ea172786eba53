// Compiles bin, src, test and bench into dist/, from a clean start so that nothing deleted lingers there.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc')], { stdio: 'inherit' });
chmodSync('dist/bin/vitmim.js', 0o755);
