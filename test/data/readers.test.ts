/** Images read by other threads are the images: the same pixels and the same complaints, in any order of arrival. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import type { DecodeMode } from '../../src/data/formats/format.js';
import { readImage, type ReadImage } from '../../src/data/read-image.js';
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

/** The image that was read, for a comparison: independent of the place of its pixels in memory. */
function described(read: ReadImage): unknown {
  if (read.kind !== 'image') return read;
  const { data, height, width } = read.image;
  return { kind: read.kind, height, width, pixels: Array.from(data) };
}

const expected = (await Promise.all(all.map((path) => readImage(path)))).map(described);

it('there is something to be read', () => {
  expect(expected.slice(0, 2)).toMatchObject([
    { kind: 'image', width: 5 },
    { kind: 'image', width: 6 },
  ]);
  expect(expected.slice(-2)).toMatchObject([{ kind: 'corrupt' }, { kind: 'unreadable' }]);
});

it.each([2, 16])('of %i cores', async (cores) => {
  const read = openReaders(cores);
  const found = await Promise.all(all.map((path) => read(path)));
  expect(found.map(described)).toEqual(expected);
});

it('in memory that earlier images have given back, as large or not', async () => {
  const read = openReaders(2);
  const memories = new Set<unknown>();
  for (const round of [0, 1, 2, 3]) {
    // Small ones first, then large ones: their memory is too small for those.
    const paths = round % 2 === 0 ? all : all.toReversed();
    for (let begin = 0; begin < paths.length; begin += 6) {
      const part = paths.slice(begin, begin + 6);
      const found = await Promise.all(part.map((path) => read(path)));
      expect(found.map(described)).toEqual(part.map((path) => expected[all.indexOf(path)]));
      for (const one of found) {
        if (one.kind !== 'image') continue;
        memories.add(one.image.data.buffer);
        one.image.release!();
      }
    }
  }
  expect(memories.size).toBeLessThan(40); // of 160 images
});

it('with what the decoder warned of', async () => {
  const { cases } = JSON.parse(readFileSync('test/data/fixtures/decode.json', 'utf8')) as {
    cases: Record<string, { file: string }>;
  };
  const damaged = join(folder, 'damaged.jpg');
  writeFileSync(damaged, Buffer.from(cases['jpeg-cut-and-closed']!.file, 'base64'));
  const read = openReaders(2);
  expect(await read(damaged)).toMatchObject({
    kind: 'image',
    damage: expect.stringMatching(/premature end/) as string,
  });
  expect(await read(paths[0]!)).toMatchObject({ kind: 'image', damage: null });
});

it('decoded as asked', async () => {
  const transparent = join(folder, 'transparent.png');
  const pixels = Uint8Array.from([10, 20, 30, 0]);
  await sharp(pixels, { raw: { width: 1, height: 1, channels: 4 } }).toFile(transparent);
  const pixelsOf = async (mode: DecodeMode) => {
    const found = await openReaders(2, mode)(transparent);
    return found.kind === 'image' ? Array.from(found.image.data) : found;
  };
  expect(await pixelsOf('torchvision')).toEqual([10, 20, 30]);
  expect(await pixelsOf('colour-managed')).toEqual([255, 255, 255]);
});

it('in memory that a corrupt file was to have had', async () => {
  const read = openReaders(2);
  const pixels = async (): Promise<unknown> => {
    const found = await read(paths[0]!);
    if (found.kind !== 'image') throw new Error('no image');
    found.image.release!();
    return found.image.data.buffer;
  };
  const memory = await pixels();
  await read(corrupt);
  expect(await pixels()).toBe(memory);
});

it('by all threads, if several images are asked for at a time', async () => {
  const postMessage: (this: Worker, message: unknown) => void = Reflect.get(Worker.prototype, 'postMessage');
  const asked = new Map<Worker, number>();
  const read = openReaders(16);
  try {
    Object.assign(Worker.prototype, {
      postMessage(this: Worker, message: unknown) {
        asked.set(this, (asked.get(this) ?? 0) + 1);
        postMessage.call(this, message);
      },
    });
    await Promise.all(paths.map((path) => read(path)));
  } finally {
    Object.assign(Worker.prototype, { postMessage });
  }
  expect([...asked.values()]).toEqual([10, 10, 10, 10]); // 40 images, asked for before any has come
});

it('an image that is not given back stays as it is', async () => {
  const read = openReaders(2);
  const first = await read(paths[0]!);
  await Promise.all(all.map((path) => read(path)));
  expect(described(first)).toEqual(expected[0]);
});

it('of a thread that ends, says so, now and later', async () => {
  const postMessage: unknown = Reflect.get(Worker.prototype, 'postMessage');
  const read = openReaders(2);
  try {
    Object.assign(Worker.prototype, {
      postMessage(this: Worker) {
        void this.terminate();
      },
    });
    await expect(Promise.all([read(paths[0]!), read(paths[1]!)])).rejects.toThrow(/thread that reads images has ended/);
  } finally {
    Object.assign(Worker.prototype, { postMessage });
  }
  await expect(read(paths[2]!)).rejects.toThrow(/has ended/);
});

it('lets the process end, but not before it has its answers', () => {
  const module = fileURLToPath(new URL('../../src/data/readers.js', import.meta.url));
  const program = `
    import { openReaders } from ${JSON.stringify(module)};
    const read = openReaders(2);
    console.log((await read(${JSON.stringify(paths[3])})).image.width);
    // Now the threads are idle, and only this turn of the event loop is left to do.
    await new Promise(setImmediate);
    console.log((await read(${JSON.stringify(paths[4])})).image.width);`;
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { timeout: 60_000 });
  expect(String(told)).toBe('8\n9\n');
});
