/** Bad usage and bad specs: exit code 2, the place, the remedy, and nothing written. One goes through the real executable. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/common/version.js';
import { readFileSync } from 'node:fs';
import { inThisProcess, start, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

/** Runs a sweep of the given spec in a folder of its own. */
async function sweep(text: string, ...args: string[]) {
  const spec = join(folder.path, 'spec.yaml');
  const out = join(folder.path, 'out');
  writeFileSync(spec, text);
  const finished = await inThisProcess(['sweep', spec, '--out', out, '--device', 'cpu', ...args]);
  return { ...finished, wrote: existsSync(out) };
}

describe('a spec that cannot run', () => {
  it.each([
    ['an unknown key', 'job:\n  pretrain: { epoch: 5 }\n', [':2:', 'epoch', 'epochs']],
    ['a value out of range', 'grid:\n  maskRatio:\n    - 0.5\n    - 1.5\n', [':4:', '1.5']],
    ['a wrong type', 'job:\n  model:\n    depth: four\n', [':3:', 'depth', 'four']],
    ['an unknown objective', 'grid:\n  objective: [maskd]\n', [':2:', 'maskd', 'masked']],
    ['nothing but contradictions', 'grid:\n  objective: [masked]\n  maskRatio: [0]\n', ['masked', 'maskRatio']],
    ['broken YAML', 'job: [1, 2\n', ['spec.yaml:']],
    ['patches that do not tile', 'job:\n  model: { patchSize: 5 }\n', ['tile', 'patchSize']],
  ])('with %s', async (_name, text, expected) => {
    const { code, stderr, stdout, wrote } = await sweep(text);
    expect({ code, stdout, wrote }).toEqual({ code: 2, stdout: '', wrote: false });
    for (const part of expected) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/\n\s+at /); // no stack trace
  });

  it('with a data set that is not there, saying how to get it', async () => {
    const cifar = await sweep(`job:\n  data: { name: cifar10, path: ${join(folder.path, 'nowhere')} }\n`);
    expect(cifar).toMatchObject({ code: 2, wrote: false });
    expect(cifar.stderr).toContain('vitmim data fetch cifar10');
    const images = await sweep(`job:\n  data: { name: image-folder, path: ${join(folder.path, 'nowhere')} }\n`);
    expect(images).toMatchObject({ code: 2, wrote: false });
    expect(images.stderr).toContain('nowhere');
  });

  it('with an override that hits no key', async () => {
    const { code, stderr, wrote } = await sweep('name: x\n', '--set', 'job.pretrain.epoch=3');
    expect({ code, wrote }).toEqual({ code: 2, wrote: false });
    expect(stderr).toContain('epochs');
  });
});

it('names what has no effect, in the plan', async () => {
  const spec = join(folder.path, 'idle.yaml');
  writeFileSync(
    spec,
    'job:\n  data: { name: shapes, imageSize: 16 }\ngrid: { knn.k: [5, 10] }\nexclude: [{ knn.k: 7 }]\n',
  );
  const { code, stdout, stderr } = await inThisProcess(['plan', spec]);
  expect(code).toBe(0);
  expect(stdout + stderr).toContain(
    `Without effect:\n  ${spec}:4: exclude[0] matches no cell; correct it or remove it\n` +
      `  ${spec}:3: the axis knn.k has no effect: all of its 2 values give the same jobs\n`,
  );
});

describe('the command line', () => {
  it('names the spec that cannot be read', async () => {
    const { code, stderr } = await start(['sweep', 'nowhere.yaml']).finished;
    expect(code).toBe(2);
    expect(stderr).toContain('nowhere.yaml');
  });

  it('suggests the command that was meant', async () => {
    const { code, stderr } = await inThisProcess(['swep', 'x.yaml']);
    expect(code).toBe(2);
    expect(stderr).toContain('sweep');
  });

  it('refuses an unknown device, listing the known ones', async () => {
    const { code, stderr } = await inThisProcess(['sweep', 'x.yaml', '--device', 'abacus']);
    expect(code).toBe(2);
    expect(stderr).toContain('tensorflow, webgpu, simd, cpu');
  });

  it.each(['sweep', 'plan', 'report', 'train', 'preview'])('has an example in the help of %s', async (command) => {
    const { code, stdout } = await inThisProcess([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}vitmim /);
  });

  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
    expect((await start(['--version']).finished).stdout.trim()).toBe(version);
  });

  it('writes errors as JSON if JSON is requested', async () => {
    const { code, stdout } = await inThisProcess(['plan', 'nowhere.yaml', '--json']);
    expect(code).toBe(2);
    expect((JSON.parse(stdout) as { error: string }).error).toContain('nowhere.yaml');
  });
});
