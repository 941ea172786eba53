/** Content hashes that are kept: what is read again, and what is said of a change. */
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFolder, manifestHome, type ListedFile } from '../../src/data/content-hashes.js';
import { temporaryFolders } from './fixture.js';

const folderFor = temporaryFolders();
const DAY = 86_400_000;

async function written(files: Record<string, string>): Promise<string> {
  const folder = await folderFor();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Lists files with stamps that the test decides, changed long before they are hashed. */
const listed = (stamps: Record<string, string>, changedAt = 0): Omit<ListedFile, 'path'>[] =>
  Object.entries(stamps).map(([name, stamp]) => ({ name, stamp, changedAt }));

/** Hashes, and says how many files were read. */
async function hash(folder: string, files: readonly Omit<ListedFile, 'path'>[], cache: string) {
  let read = 0;
  const placed = files.map((file) => ({ ...file, path: join(folder, file.name) }));
  const hashed = await hashFolder(folder, placed, { cache, now: () => DAY, onHashed: () => (read += 1) });
  return { ...hashed, read };
}

it('reads every file once, and again those whose stamp changed', async () => {
  const [folder, cache] = [await written({ a: '1', b: '2', 'c/d': '3' }), await folderFor()];
  const first = await hash(folder, listed({ a: 's', b: 's', 'c/d': 's' }), cache);
  const second = await hash(folder, listed({ a: 's', b: 's', 'c/d': 's' }), cache);
  await writeFile(join(folder, 'b'), '9');
  const third = await hash(folder, listed({ a: 's', b: 't', 'c/d': 's' }), cache);
  const fourth = await hash(folder, listed({ a: 's', b: 't', 'c/d': 's' }), cache);
  expect([first, second, third, fourth].map(({ read }) => read)).toEqual([3, 0, 1, 0]);
  expect(second.fingerprint).toBe(first.fingerprint);
  expect(third.fingerprint).not.toBe(first.fingerprint);
  expect(fourth.fingerprint).toBe(third.fingerprint);
});

it('has the same fingerprint for all time stamps, places and caches', async () => {
  const files = { a: '1', 'line\nbreak "quoted"': '2' };
  const [one, other, cache] = [await written(files), await written(files), await folderFor()];
  const stamps = { a: 's', 'line\nbreak "quoted"': 's' };
  const { fingerprint } = await hash(one, listed(stamps), cache);
  expect((await hash(one, listed({ ...stamps, a: 'touched' }), cache)).fingerprint).toBe(fingerprint);
  expect(await hash(one, listed(stamps), await folderFor())).toMatchObject({ fingerprint, read: 2 });
  expect(await hash(other, listed(stamps), cache)).toMatchObject({ fingerprint, read: 2 });
});

it('reads a file again that changed within two seconds of being hashed', async () => {
  const [folder, cache] = [await written({ a: '1', b: '2' }), await folderFor()];
  const files = [...listed({ a: 's' }, DAY - 1999), ...listed({ b: 's' }, DAY - 2001)];
  await hash(folder, files, cache);
  expect((await hash(folder, files, cache)).read).toBe(1);
});

it.each([
  ['is damaged', (path: string) => writeFile(path, 'no manifest')],
  ['is cut short', async (path: string) => writeFile(path, `${'0'.repeat(64)} s "a"\n`)],
  ['is a folder', (path: string) => rm(path).then(() => mkdir(path))],
])('reads everything if the manifest %s', async (_how, damage) => {
  const [folder, cache] = [await written({ a: '1', b: '2' }), await folderFor()];
  const files = listed({ a: 's', b: 's' });
  const { fingerprint } = await hash(folder, files, cache);
  const [place] = await readdir(cache);
  await damage(join(cache, place!, fingerprint));
  expect(await hash(folder, files, cache)).toMatchObject({ fingerprint, read: 2 });
});

it('does without a cache that cannot be written', async () => {
  const folder = await written({ a: '1', cache: 'a file' });
  const first = await hash(folder, listed({ a: 's' }), join(folder, 'cache'));
  expect(await hash(folder, listed({ a: 's' }), join(folder, 'cache'))).toMatchObject({
    fingerprint: first.fingerprint,
    read: 1,
  });
  expect(await first.changesSince('0'.repeat(64))).toBeNull();
});

it('names three files of each change and counts the others, also after another process has read the change', async () => {
  const before = { a: '1', b: '1', c: '1', d: '1', e: '1', gone: '1' };
  const [folder, cache] = [await written(before), await folderFor()];
  const stamps = Object.fromEntries(Object.keys(before).map((name) => [name, 's']));
  const { fingerprint } = await hash(folder, listed(stamps), cache);
  for (const name of ['a', 'b', 'c', 'd', 'e']) await writeFile(join(folder, name), '2');
  const { gone: _gone, ...rest } = stamps;
  const touched = Object.fromEntries(Object.keys(rest).map((name) => [name, 't']));
  await hash(folder, listed(touched), cache);
  const { changesSince, before: last } = await hash(folder, listed(touched), cache);
  expect(await changesSince(fingerprint)).toBe('changed: a, b, c and 2 more; gone: gone');
  expect(last).not.toBe(fingerprint);
});

it('keeps three manifests of a folder', async () => {
  const [folder, cache] = [await written({ a: '0' }), await folderFor()];
  const prints: string[] = [];
  for (let i = 0; i < 5; i++) {
    await writeFile(join(folder, 'a'), String(i));
    prints.push((await hash(folder, listed({ a: `${i}` }), cache)).fingerprint);
    const path = join(cache, (await readdir(cache))[0]!, prints.at(-1)!);
    await utimes(path, i + 1, i + 1); // in the order they were made in, however coarse the clock
  }
  const kept = await readdir(join(cache, (await readdir(cache))[0]!));
  expect(kept).toHaveLength(3);
  expect(kept).toContain(prints.at(-1));
});

it('knows a folder by its real path', async () => {
  const [folder, cache] = [await written({ a: '1' }), await folderFor()];
  await hash(folder, listed({ a: 's' }), cache);
  const moved = `${folder}-moved`;
  await rename(folder, moved);
  expect((await hash(moved, listed({ a: 's' }), cache)).read).toBe(1);
  await rename(moved, folder);
  expect((await stat(folder)).isDirectory()).toBe(true);
});

it('keeps manifests in the cache folder of the user', () => {
  expect(manifestHome({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/vitmim/manifests');
  expect(manifestHome({ XDG_CACHE_HOME: '' })).toMatch(/\.cache\/vitmim\/manifests$/);
});
