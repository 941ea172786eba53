/**
 * Runs cases of a fuzzer in this process: `node dist/test/fuzz/fuzz.js specs|folders FROM TO`. Prints one line of JSON for
 * each, with the seconds of CPU that it took; a case is the same in every run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzzSpec } from './specs.js';
import { fuzzFolder, makeFolder } from './folders.js';

const [kind, from, to] = process.argv.slice(2);
const root = mkdtempSync(join(tmpdir(), 'vitmim-fuzz-'));
const write = process.stdout.write.bind(process.stdout);
try {
  const base = join(root, 'base');
  if (kind === 'folders') await makeFolder(base);
  for (let seed = Number(from); seed < Number(to); seed++) {
    const own = join(root, String(seed));
    write(`${JSON.stringify({ seed })}\n`);
    const before = process.cpuUsage();
    const faults = await (kind === 'folders' ? fuzzFolder(seed, base, own) : fuzzSpec(seed, own));
    const { user, system } = process.cpuUsage(before);
    write(`${JSON.stringify({ seed, seconds: (user + system) / 1e6, faults })}\n`);
    rmSync(own, { recursive: true, force: true });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
