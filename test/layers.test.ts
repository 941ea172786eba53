/** Which parts of the program may load which others (docs/DESIGN.md §2). */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const SOURCES = resolve('dist/src');

/** The imports of a compiled file when it is loaded, and those that run later: types are gone by then. */
const AT_START = /^(?:import|export)\b(?:[^;]*?from)? '([^']+)'/gms;
const LATER = /\bimport\('([^']+)'\)/g;

/** The names that a compiled file imports; its own files as absolute paths. */
function importsOf(path: string, form: RegExp): string[] {
  const names = [...readFileSync(path, 'utf8').matchAll(form)].map(([, name]) => name!);
  return names.map((name) => (name.startsWith('.') ? resolve(dirname(path), name) : name));
}

const isFile = (name: string): boolean => name.startsWith('/') || /^[A-Z]:/i.test(name);

/** What a compiled file loads, itself or through its own files. */
function loadedBy(file: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const pending = [resolve(file)];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    for (const name of importsOf(path, AT_START)) {
      if (isFile(name)) pending.push(name);
      else packages.add(name);
    }
  }
  return { files, packages };
}

const packagesOf = (file: string): Set<string> => loadedBy(file).packages;

/** `spec/cells.js` */
const nameOf = (path: string): string => relative(SOURCES, path).replaceAll('\\', '/');
const folderOf = (path: string): string => nameOf(path).split('/')[0]!;

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(folder, name));

const files = filesIn(SOURCES);

/** The folders of the map in DESIGN.md §2, from the top down. */
const map = /\nsrc\/\n(?<lines>(?: .*\n)+)/.exec(readFileSync('docs/DESIGN.md', 'utf8'))?.groups?.lines ?? '';
const levels = [...map.matchAll(/^ {2}([a-z]+)\//gm)].map(([, folder]) => folder!);

it('has every folder of the sources in the map of DESIGN.md', () => {
  const folders = readdirSync(SOURCES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect([...levels].sort()).toEqual(folders.map(({ name }) => name).sort());
});

it('imports only from the own folder and from folders further down', () => {
  const upwards = files.flatMap((path) => {
    // An evaluation loads its implementation when a worker runs it.
    const later = folderOf(path) === 'stages' ? [] : importsOf(path, LATER);
    const own = [...importsOf(path, AT_START), ...later].filter(isFile);
    const above = own.filter((name) => levels.indexOf(folderOf(name)) < levels.indexOf(folderOf(path)));
    return above.map((name) => `${nameOf(path)} → ${nameOf(name)}`);
  });
  expect(upwards).toEqual([]);
});

it('has no cycle of files that import each other', () => {
  const finished = new Set<string>();
  /** The first cycle that is reached from a file; empty: none is. */
  const cycleFrom = (path: string, way: readonly string[]): string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path].map(nameOf);
    if (finished.has(path)) return [];
    for (const name of importsOf(path, AT_START).filter(isFile)) {
      const cycle = cycleFrom(name, [...way, path]);
      if (cycle.length > 0) return cycle;
    }
    finished.add(path);
    return [];
  };
  expect(files.map((path) => cycleFrom(path, [])).filter((cycle) => cycle.length > 0)).toEqual([]);
});

const WITHOUT_TENSORS = [
  ...['report', 'runner', 'decide', 'evidence', 'statistics', 'weights', 'store', 'spec', 'stages', 'task', 'common'],
];

it.each(WITHOUT_TENSORS)('loads no tensors in src/%s', (folder) => {
  const own = filesIn(join(SOURCES, folder));
  expect(own.length).toBeGreaterThan(3);
  const loading = own.filter((path) => [...packagesOf(path)].some((name) => name.includes('tfjs')));
  expect(loading.map(nameOf)).toEqual([]);
});

it('follows imports to the file that loads tensors', () => {
  expect([...packagesOf('dist/src/objectives/compose.js')]).toContain('@tensorflow/tfjs');
});

const foldersOf = (file: string): Set<string> => new Set([...loadedBy(file).files].map(folderOf));

it('has a programming interface that loads no command and no tensors, and on which no command depends', () => {
  const folders = foldersOf('dist/src/api/index.js');
  expect(folders).toContain('runner');
  expect(folders).not.toContain('cli');
  expect([...packagesOf('dist/src/api/index.js')].filter((name) => name.includes('tfjs'))).toEqual([]);
  expect(foldersOf('dist/src/cli/main.js')).not.toContain('api');
});
