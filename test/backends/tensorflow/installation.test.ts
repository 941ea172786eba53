/** Which TensorFlow is found in invented folders, and why others are not. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildHome, findInstallations, readBuild } from '../../../src/backends/tensorflow/installation.js';
import { temporaryFolder } from '../../runner/support.js';

const root = temporaryFolder();
const BUILD = { package: 'p@1.2.3', tensorflow: '2.21.0', kind: 'cpu', library: null };

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Resolves modules as from this folder. */
const requireIn = (name: string): NodeJS.Require => createRequire(join(root, name, 'index.js'));
const find = (name: string) => findInstallations(join(root, name, 'home'), requireIn(name));
const packageIn = (name: string, ...parts: string[]): string =>
  join(root, name, 'node_modules', '@tensorflow', ...parts);

it('names the searched path of each missing installation', () => {
  expect(find('nothing')).toEqual([
    { name: 'own build', absent: `none in ${join(root, 'nothing', 'home')}` },
    { name: '@tensorflow/tfjs-node-gpu', absent: 'not installed' },
    { name: '@tensorflow/tfjs-node', absent: 'not installed' },
  ]);
});

it.each([
  ['cpu', false],
  ['gpu', true],
  ['library', true],
])("prefers the user's own build, here of kind %s", (kind, forGpu) => {
  const home = join(root, kind, 'home');
  write(join(home, 'build.json'), JSON.stringify({ ...BUILD, kind }));
  expect(find(kind)[0]).toEqual({
    name: `TensorFlow 2.21.0 (${kind}, built in ${home})`,
    root: join(home, 'package'),
    addon: join(home, 'tfjs_binding.node'),
    forGpu,
  });
});

it('takes the newest addon of a package, for any version of Node', () => {
  write(packageIn('packages', 'tfjs-node', 'package.json'), '{}');
  write(packageIn('packages', 'tfjs-node', 'lib', 'napi-v5', 'tfjs_binding.node'), '');
  const addon = write(packageIn('packages', 'tfjs-node', 'lib', 'napi-v8', 'tfjs_binding.node'), '');
  const found = find('packages').at(-1);
  expect(found).toMatchObject({ name: '@tensorflow/tfjs-node', addon, forGpu: false });
});

it('reports a package without its library, as after a failed download', () => {
  write(packageIn('bare', 'tfjs-node-gpu', 'package.json'), '{}');
  expect(find('bare')[1]).toEqual({
    name: '@tensorflow/tfjs-node-gpu',
    absent: 'installed without its native library, which its install script could not download',
  });
});

it('names a damaged build.json and a remedy', () => {
  const file = write(join(root, 'damaged', 'home', 'build.json'), '{"package": ');
  expect(find('damaged')[0]).toMatchObject({ absent: expect.stringContaining(`${file} cannot be read`) as string });
  expect(() => readBuild(dirname(file))).toThrow(/build again/);
});

it('searches VITMIM_TENSORFLOW, or else the home folder', () => {
  expect(buildHome({ VITMIM_TENSORFLOW: '/elsewhere' })).toBe('/elsewhere');
  expect(buildHome({})).toMatch(/\.cache\/vitmim\/tensorflow$/);
  expect(buildHome({ VITMIM_TENSORFLOW: '' })).toBe(buildHome({}));
});
