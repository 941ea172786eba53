/** Installations and machines on which the program itself cannot work: said in words, without a stack trace. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, vitmim } from '../support/cli.js';

const BIN = fileURLToPath(new URL('../../run/vitmim.js', import.meta.url));

/** Runs the program without the files of a package. */
function without(packageName: string, args: readonly string[]) {
  const hook = `export async function resolve(name, context, next) {
    if (name === ${JSON.stringify(packageName)}) {
      throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
    }
    return next(name, context);
  }`;
  const data = (script: string): string => `data:text/javascript,${encodeURIComponent(script)}`;
  const install = `import { register } from 'node:module'; register(${JSON.stringify(data(hook))});`;
  return vitmim(args, { env: { NODE_OPTIONS: `--import ${data(install)}` } });
}

test('a package that is missing is named with the remedy, and a sweep does not try again', async () => {
  const folder = temporaryFolder();
  try {
    const sweep = ['sweep', 'experiments/smoke.yaml', '--out', folder.path, '--set', 'grid.objective=[scratch]'];
    const { code, stderr } = await without('sharp', [...sweep, '--device', 'cpu', '--jobs', '1']);
    expect(code).toBe(1);
    expect(stderr).toContain('vitmim cannot find sharp; install vitmim again with its optional dependencies');
    expect(stderr).not.toMatch(/^retry/m);
  } finally {
    folder.remove();
  }
});

test('a limit of open files that is too low is named with the remedy', async () => {
  const said = await new Promise<string>((resolve) => {
    const command = `ulimit -n 20; exec "${process.execPath}" "${BIN}" status .`;
    execFile('bash', ['-c', command], (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
  expect(said).toMatch(/^vitmim: too many open files: .* ulimit -n 1024\n$/);
});
