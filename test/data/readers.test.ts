/** Images read by other threads are the images: the same pixels and the same complaints, in whatever order they come. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { readImage } from '../../src/data/read-image.js';
import { openReaders } from '../../src/data/readers.js';

const folder = mkdtempSync(join(tmpdir(), 'vitmim-readers-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const HEIGHT = 9;
const paths = await Promise.all(
  Array.from({ length: 40 }, async (_, i) => {
    const path = join(folder, `${i}.png`);
    const width = 5 + i;
    const pixels = Uint8Array.from({ length: 3 * width * HEIGHT }, (_, at) => (31 * at + 7 * i) % 251);
    await sharp(pixels, { raw: { width, height: HEIGHT, channels: 3 } }).toFile(path);
    return path;
  }),
);
const corrupt = join(folder, 'corrupt.png');
writeFileSync(corrupt, 'no PNG');
const all = [...paths, corrupt, join(folder, 'missing.png')];

it.each([2, 16])('of %i cores', async (cores) => {
  const read = openReaders(cores);
  const found = await Promise.all(all.map((path) => read(path)));
  expect(found).toEqual(await Promise.all(all.map((path) => readImage(path))));
  expect(found.slice(-2).map(({ kind }) => kind)).toEqual(['corrupt', 'unreadable']);
  expect(found.slice(0, 2)).toMatchObject([
    { kind: 'image', image: { width: 5 } },
    { kind: 'image', image: { width: 6 } },
  ]);
});

it('lets the process end, but not before it has its answers', () => {
  const module = fileURLToPath(new URL('../../src/data/readers.js', import.meta.url));
  const program = `
    import { openReaders } from ${JSON.stringify(module)};
    const read = openReaders(2);
    console.log((await read(${JSON.stringify(paths[3])})).image.width);
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log((await read(${JSON.stringify(paths[4])})).image.width);`;
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { timeout: 60_000 });
  expect(String(told)).toBe('8\n9\n');
});
