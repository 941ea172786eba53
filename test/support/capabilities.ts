/** What this machine can do that a test needs, each found by trying. Elsewhere the test is skipped. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `describe`, `it` or `test` if the machine has the capability, else their `skip`. */
export const onlyIf = <Declare>(capability: boolean, declare: Declare & { skip: Declare }): Declare =>
  capability ? declare : declare.skip;

/** Runs a probe in a folder of its own; false if it throws. */
function probe(action: (folder: string) => boolean): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'vitmim-probe-'));
  try {
    return action(folder);
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Python that tests start. */
export const PYTHON = process.env.VITMIM_PYTHON ?? 'python3';

/**
 * Whether Python has packages.
 *
 * @param required The variable that makes their absence a failure.
 */
export function hasPackages(packages: readonly string[], required: string): boolean {
  const find =
    'import importlib.util, sys; sys.exit(any(importlib.util.find_spec(name) is None for name in sys.argv[1:]))';
  if (spawnSync(PYTHON, ['-c', find, ...packages]).status === 0) return true;
  if (process.env[required]) throw new Error(`${PYTHON} must have the packages ${packages.join(', ')} here`);
  return false;
}

/** Whether links to files and folders can be created; Windows needs a privilege for that. */
export const hasLinks = (): boolean =>
  probe((folder) => {
    symlinkSync(join(folder, 'target'), join(folder, 'link'));
    return true;
  });

/** Whether a script with `#!/bin/sh` is a program, and bash runs the same programs. */
export const hasShellScripts = (): boolean =>
  probe((folder) => {
    const script = join(folder, 'script');
    writeFileSync(script, '#!/bin/sh\necho here\n');
    chmodSync(script, 0o755);
    return [spawnSync(script), spawnSync('bash', ['-c', `'${script}'`])].every(
      ({ stdout }) => String(stdout) === 'here\n',
    );
  });

/** Whether a process can catch SIGTERM; on Windows it ends at once. */
export async function hasSignals(): Promise<boolean> {
  const program = "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 7;
}
