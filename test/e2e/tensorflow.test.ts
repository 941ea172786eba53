/**
 * Device tensorflow by the real executables: a sweep if TensorFlow is installed, the messages if it is missing or broken,
 * and the refusals of `npm run tensorflow:build`. Nothing is downloaded.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Diagnosis } from '../../src/cli/diagnose.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { availableDevices } from '../support/devices.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

/** dist/test/e2e/tensorflow.test.js → dist/tools/tensorflow-build.js */
const BUILDER = fileURLToPath(new URL('../../tools/tensorflow-build.js', import.meta.url));
const home = (name: string): string => join(folder.path, name);

async function doctorOn(name: string): Promise<string> {
  const { stdout } = await vitmim(['doctor', '--json', '--no-benchmark'], { env: { VITMIM_TENSORFLOW: home(name) } });
  const { devices } = JSON.parse(stdout) as Diagnosis;
  // The other devices do not depend on it. These two open on every machine, also from the bundle.
  const opened = devices.flatMap((device) => (device.description === null ? [] : [device.name]));
  expect(opened).toEqual(expect.arrayContaining(['simd', 'cpu']));
  return devices.find((device) => device.name === 'tensorflow')!.reason ?? '';
}

it('doctor names the searched path of a build, and how to make one', async () => {
  const reason = await doctorOn('empty');
  expect(reason).toContain(`own build: none in ${home('empty')}`);
  expect(reason).toContain('npm run tensorflow:build');
});

it('doctor passes on what the linker says of a build that does not load, and takes no other TensorFlow', async () => {
  mkdirSync(home('broken'));
  const build = { package: 'p@1', tensorflow: '2.21.0', kind: 'cpu', library: null };
  writeFileSync(join(home('broken'), 'build.json'), JSON.stringify(build));
  writeFileSync(join(home('broken'), 'tfjs_binding.node'), 'no library');
  const reason = await doctorOn('broken');
  expect(reason).toMatch(/does not load: .*tfjs_binding\.node: file too short/);
  expect(reason).toContain('npm run tensorflow:build');
});

const here = (await availableDevices()).includes('tensorflow');
(here ? it : it.skip)('a sweep pre-trains and fine-tunes on it, and its provenance says so', async () => {
  const [spec, out] = [join(folder.path, 'spec.yaml'), join(folder.path, 'out')];
  writeFileSync(
    spec,
    `job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 10 }
  finetune: { epochs: 1, warmupEpochs: 0, batchSize: 10 }
  evaluate: [finetune]
grid: { objective: [masked+zoomed-in] }
`,
  );
  const { code } = await vitmim(['sweep', spec, '--out', out, '--device', 'tensorflow']);
  expect(code).toBe(0);
  const stages = readdirSync(join(out, 'stages'));
  expect(stages).toHaveLength(2);
  for (const stage of stages) {
    const provenance = readFileSync(join(out, 'stages', stage, 'provenance.json'), 'utf8');
    expect(provenance).toMatch(/"backend": "TensorFlow \d+\.\d+\.\d+, tfjs \d/);
  }
});

describe('tensorflow:build', () => {
  const run = (name: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [BUILDER, ...args], {
      encoding: 'utf8',
      env: { ...process.env, VITMIM_TENSORFLOW: home(name), ...env },
    });

  it.each([
    ['two kinds at once', ['--cpu', '--gpu'], {}, ['exclude each other']],
    ['an unknown option', ['--cuda'], {}, ['--cuda']],
    ['a folder without a library', ['--library', '.'], {}, ['lacks libtensorflow_cc.so.2']],
    ['a Python that is not there', ['--cpu'], { PYTHON: 'no-python' }, ['no-python cannot be run', 'in PYTHON']],
    ['a Python without pip', ['--cpu'], { PYTHON: 'false' }, ['false -m pip', 'in PYTHON']],
    ['a compiler that is not there', ['--cpu'], { CXX: 'no-compiler' }, ['no-compiler cannot be run', 'in CXX']],
  ])('refuses %s, and leaves nothing behind', (_name, args, env, expected) => {
    const { status, stdout, stderr } = run('refused', args, env);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    for (const part of expected) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/\n\s+at /); // no stack trace
    expect(readdirSync(folder.path).filter((entry) => entry.startsWith('refused'))).toEqual([]);
  });

  it.each([[[]], [['--force']]])('never replaces a folder that holds something else, with %j', (options) => {
    if (!existsSync(home('mine'))) mkdirSync(home('mine'));
    writeFileSync(join(home('mine'), 'thesis.txt'), 'years');
    const { status, stderr } = run('mine', ['--cpu', ...options]);
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('VITMIM_TENSORFLOW') as string,
    });
    expect(readFileSync(join(home('mine'), 'thesis.txt'), 'utf8')).toBe('years');
  });
});
