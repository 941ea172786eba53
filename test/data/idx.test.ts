import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UsageError } from '../../src/common/errors.js';
import { openDataset } from '../../src/data/dataset.js';
import { temporaryFolders } from './fixture.js';

const folderFor = temporaryFolders();

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], values: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 + shape.length);
  shape.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([header, Buffer.from(values)]);
}

/** Three training and two test images of 2 × 3 pixels. */
const FILES: Record<string, Buffer> = {
  'train-images-idx3-ubyte': idx(
    [3, 2, 3],
    Array.from({ length: 18 }, (_, i) => 10 * i),
  ),
  'train-labels-idx1-ubyte': idx([3], [2, 0, 1]),
  't10k-images-idx3-ubyte': idx(
    [2, 2, 3],
    Array.from({ length: 12 }, (_, i) => i),
  ),
  't10k-labels-idx1-ubyte': idx([2], [1, 2]),
};

async function written(changes: Record<string, Buffer> = {}, zip = false): Promise<string> {
  const folder = await folderFor();
  for (const [name, bytes] of Object.entries({ ...FILES, ...changes })) {
    await writeFile(join(folder, zip ? `${name}.gz` : name), zip ? gzipSync(bytes) : bytes);
  }
  return folder;
}

const open = (path: string) => openDataset({ name: 'idx', imageSize: 28, path });

describe('IDX files', () => {
  it.each([false, true])('should be read, gzipped: %s', async (zip) => {
    const { classes, train, test } = await open(await written({}, zip));
    expect(classes).toEqual(['0', '1', '2']);
    expect(Array.from(train.labels)).toEqual([2, 0, 1]);
    expect(Array.from(test.labels)).toEqual([1, 2]);
    const { image, target } = await train.sample(1);
    expect(target).toBe(0);
    expect(image).toMatchObject({ height: 2, width: 3 });
    expect(Array.from(image.data)).toEqual([
      60, 60, 60, 70, 70, 70, 80, 80, 80, 90, 90, 90, 100, 100, 100, 110, 110, 110,
    ]);
  });

  it.each([
    [
      'two images are exchanged',
      'train-images-idx3-ubyte',
      idx(
        [3, 2, 3],
        Array.from({ length: 18 }, (_, i) => 10 * ((i + 6) % 18)),
      ),
    ],
    ['a label changes', 't10k-labels-idx1-ubyte', idx([2], [1, 1])],
    [
      'a picture has another shape',
      'train-images-idx3-ubyte',
      idx(
        [3, 3, 2],
        Array.from({ length: 18 }, (_, i) => 10 * i),
      ),
    ],
  ])('should have another fingerprint when %s', async (_what, file: string, bytes: Buffer) => {
    const { fingerprint } = await open(await written());
    expect((await open(await written({ [file]: bytes }))).fingerprint).not.toBe(fingerprint);
  });

  it('should have the same fingerprint plain and gzipped, and another with other pixels', async () => {
    const [plain, zipped, changed] = [
      await open(await written()),
      await open(await written({}, true)),
      await open(await written({ 't10k-images-idx3-ubyte': idx([2, 2, 3], new Array<number>(12).fill(0)) })),
    ];
    expect(zipped.fingerprint).toBe(plain.fingerprint);
    expect(changed.fingerprint).not.toBe(plain.fingerprint);
  });

  it.each([
    [
      'of another kind',
      { 'train-images-idx3-ubyte': idx([20], new Array<number>(20).fill(1)) },
      /train-images.* does not begin with 0x00000803.*0x00000801/s,
    ],
    ['that is empty', { 'train-labels-idx1-ubyte': Buffer.alloc(0) }, /train-labels.* with 0 bytes/s],
    [
      'cut short',
      { 't10k-images-idx3-ubyte': FILES['t10k-images-idx3-ubyte']!.subarray(0, 20) },
      /t10k-images.* has 20 bytes.*2 × 2 × 3.* 28/s,
    ],
    ['without data', { 't10k-labels-idx1-ubyte': idx([0], []) }, /t10k-labels.*no data/s],
    [
      'with fewer labels than images',
      { 'train-labels-idx1-ubyte': idx([2], [0, 1]) },
      /holds 3 images but .* 2 labels/s,
    ],
    [
      'with a label that training lacks',
      { 't10k-labels-idx1-ubyte': idx([2], [0, 3]) },
      /t10k-labels.* label 3.* 3 classes/s,
    ],
  ])('should be refused: a file %s', async (_what, changes: Record<string, Buffer>, message) => {
    const opening = open(await written(changes));
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });

  it.each([
    ['as torchvision keeps them', (name: string) => `MNIST/raw/${name}`],
    ['in raw/', (name: string) => `raw/${name}`],
    ['as 7-zip names them', (name: string) => name.replace('-idx', '.idx')],
    ['as 7-zip names them, zipped again', (name: string) => `${name.replace('-idx', '.idx')}.gz`],
  ])('should be found %s', async (_what, nameOf) => {
    const plain = await open(await written());
    const folder = await folderFor();
    for (const [name, bytes] of Object.entries(FILES)) {
      const path = join(folder, nameOf(name));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, path.endsWith('.gz') ? gzipSync(bytes) : bytes);
    }
    expect((await open(folder)).fingerprint).toBe(plain.fingerprint);
  });

  it('should be found beside folders of their names', async () => {
    const folder = await folderFor();
    for (const [name, bytes] of Object.entries(FILES)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name.replace('-idx', '.idx')), bytes);
    }
    expect((await open(folder)).train.length).toBe(3);
  });

  it('should be refused if a folder contains several data sets, with their places', async () => {
    const folder = await folderFor();
    for (const set of ['FashionMNIST', 'MNIST']) {
      await mkdir(join(folder, set, 'raw'), { recursive: true });
      for (const [name, bytes] of Object.entries(FILES)) await writeFile(join(folder, set, 'raw', name), bytes);
    }
    await expect(open(folder)).rejects.toThrow(UsageError);
    await expect(open(folder)).rejects.toThrow(/several data sets.*FashionMNIST.raw, .*MNIST.raw/);
  });

  it('should not wait for a pipe', async () => {
    const folder = await written();
    await rm(join(folder, 'train-labels-idx1-ubyte'));
    execFileSync('mkfifo', [join(folder, 'train-labels-idx1-ubyte')]);
    await expect(open(folder)).rejects.toThrow(/cannot read .*train-labels-idx1-ubyte \(it is not a regular file\)/);
  });

  it('should be refused when one is missing, with what is needed', async () => {
    const folder = await written();
    await rm(join(folder, 't10k-labels-idx1-ubyte'));
    await expect(open(folder)).rejects.toThrow(/neither t10k-labels-idx1-ubyte nor .*\.gz is in .*four files/s);
  });

  it('should be refused when the gzip stream is cut short', async () => {
    const folder = await written({}, true);
    const whole = gzipSync(FILES['train-images-idx3-ubyte']!);
    await writeFile(join(folder, 'train-images-idx3-ubyte.gz'), whole.subarray(0, whole.length - 12));
    const opening = open(folder);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(/train-images-idx3-ubyte\.gz cannot be unzipped/);
  });
});
