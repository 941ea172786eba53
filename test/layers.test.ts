/** Which parts of the program may load which others. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** What a compiled file loads, itself or through its own files: types are gone by then. */
function loadedBy(file: string): { files: Set<string>; packages: Set<string> } {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const pending = [file];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';/gms)) {
      if (name!.startsWith('.')) pending.push(resolve(dirname(path), name!));
      else packages.add(name!);
    }
  }
  return { files: seen, packages };
}

const packagesOf = (file: string): Set<string> => loadedBy(file).packages;

it.each(['spec', 'task', 'store', 'runner', 'report', 'evidence', 'statistics', 'common', 'weights'])(
  'loads no tensors in src/%s',
  (folder) => {
    const root = join('dist/src', folder);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    expect(files.length).toBeGreaterThan(3);
    const loading = files.filter((name) => [...packagesOf(join(root, name))].some((each) => each.includes('tfjs')));
    expect(loading).toEqual([]);
  },
);

it('follows imports to where tensors are loaded', () => {
  expect([...packagesOf('dist/src/objectives/compose.js')]).toContain('@tensorflow/tfjs');
});

const foldersOf = (file: string): Set<string> =>
  new Set([...loadedBy(file).files].map((path) => relative(resolve('dist/src'), resolve(path)).split('/')[0]!));

it('has a programming interface that loads no command and no tensors, and on which no command depends', () => {
  const folders = foldersOf('dist/src/api/index.js');
  expect(folders).toContain('runner');
  expect(folders).not.toContain('cli');
  expect([...packagesOf('dist/src/api/index.js')].filter((name) => name.includes('tfjs'))).toEqual([]);
  expect(foldersOf('dist/src/cli/main.js')).not.toContain('api');
});
