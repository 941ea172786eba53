import { appendFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../src/common/errors.js';
import { CIFAR_LAYOUTS, type CifarLayout, isComplete, openCifar, readCifar } from '../../src/data/cifar.js';
import { openDataset } from '../../src/data/dataset.js';
import { temporaryFolders } from './fixture.js';
import { withVariables } from '../support/variables.js';

const folderFor = temporaryFolders();

/** The real layouts with few records. */
const small = {
  cifar10: { ...CIFAR_LAYOUTS.cifar10, records: { train: 4, test: 6 } },
  cifar100: { ...CIFAR_LAYOUTS.cifar100, records: { train: 4, test: 6 } },
} satisfies Record<string, CifarLayout>;

const NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** A record whose pixel p of channel c is (p + 50·c + 7·label) mod 256. */
function record(labels: readonly number[]): Buffer {
  const label = labels.at(-1)!;
  const planes = [0, 1, 2].flatMap((c) => Array.from({ length: 1024 }, (_, p) => (p + 50 * c + 7 * label) & 255));
  return Buffer.from([...labels, ...planes]);
}

/** Writes the files of a layout; record i of file f has label (i + f) mod 10. */
async function write(layout: CifarLayout, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, layout.names), `${NAMES.join('\n')}\n\n`);
  const file = (count: number, f: number): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, (_, i) => record(layout.labelBytes === 1 ? [(i + f) % 10] : [99, (i + f) % 10])),
    );
  for (const [f, name] of layout.train.entries()) await writeFile(join(folder, name), file(layout.records.train, f));
  for (const [f, name] of layout.test.entries()) await writeFile(join(folder, name), file(layout.records.test, f));
}

async function written(layout: CifarLayout): Promise<string> {
  const folder = await folderFor();
  await write(layout, folder);
  return folder;
}

describe('CIFAR', () => {
  it('should read the files of CIFAR-10 in order', async () => {
    const { name, classes, train, test } = await readCifar(small.cifar10, await written(small.cifar10));
    expect(name).toBe('cifar10');
    expect(classes).toEqual(NAMES);
    expect(Array.from(train.labels)).toEqual([0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7]);
    expect(Array.from(test.labels)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('should interleave the planes', async () => {
    const { train } = await readCifar(small.cifar10, await written(small.cifar10));
    const { image, target } = await train.sample(19);
    expect(target).toBe(7);
    expect(image).toMatchObject({ height: 32, width: 32 });
    expect(Array.from(image.data.subarray(0, 6))).toEqual([49, 99, 149, 50, 100, 150]);
    expect(Array.from(image.data.subarray(-3))).toEqual([(1023 + 49) & 255, (1023 + 99) & 255, (1023 + 149) & 255]);
  });

  it('should read the fine label of CIFAR-100', async () => {
    const { train } = await readCifar(small.cifar100, await written(small.cifar100));
    expect(Array.from(train.labels)).toEqual([0, 1, 2, 3]);
    expect(Array.from((await train.sample(2)).image.data.subarray(0, 3))).toEqual([14, 64, 114]);
  });

  it('should have a fingerprint of content, not of place', async () => {
    const [first, second, changed] = [
      await written(small.cifar10),
      await written(small.cifar10),
      await written(small.cifar10),
    ];
    await writeFile(join(changed, 'test_batch.bin'), Buffer.concat([5, 1, 2, 3, 4, 5].map((label) => record([label]))));
    const prints = await Promise.all([first, second, changed].map((folder) => readCifar(small.cifar10, folder)));
    expect(prints[0]!.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(prints[1]!.fingerprint).toBe(prints[0]!.fingerprint);
    expect(prints[2]!.fingerprint).not.toBe(prints[0]!.fingerprint);
  });

  it.each([
    ['two images are exchanged with their labels', [1, 0, 2, 3, 4, 5].map((label) => record([label]))],
    [
      'a label changes',
      [0, 1, 2, 3, 4, 5].map((label) => Buffer.from([label === 3 ? 4 : label, ...record([label]).subarray(1)])),
    ],
  ])('should have another fingerprint when %s', async (_what, records: Buffer[]) => {
    const [one, other] = [await written(small.cifar10), await written(small.cifar10)];
    await writeFile(join(other, 'test_batch.bin'), Buffer.concat(records));
    const prints = await Promise.all([one, other].map((folder) => readCifar(small.cifar10, folder)));
    expect(prints[1]!.fingerprint).not.toBe(prints[0]!.fingerprint);
  });

  it('should name a missing file and how to get it', async () => {
    const folder = await written(small.cifar10);
    await rm(join(folder, 'data_batch_3.bin'));
    const opening = readCifar(small.cifar10, folder);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(/data_batch_3\.bin.*`vitmim data fetch cifar10`/s);
  });

  it.each(['truncated', 'lengthened'] as const)('should name a %s file', async (how) => {
    const folder = await written(small.cifar10);
    const file = join(folder, 'data_batch_2.bin');
    await (how === 'truncated' ? truncate(file, 3 * 3073) : appendFile(file, 'x'));
    const opening = readCifar(small.cifar10, folder);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(
      /data_batch_2\.bin has \d+ bytes instead of 12292.*vitmim data fetch cifar10/s,
    );
  });

  it('should name a file with an impossible label', async () => {
    const folder = await written(small.cifar10);
    await writeFile(join(folder, 'test_batch.bin'), Buffer.concat([1, 2, 10, 4, 5, 6].map((label) => record([label]))));
    await expect(readCifar(small.cifar10, folder)).rejects.toThrow(/test_batch\.bin, record 2: label 10 of 10/);
  });

  it('should tell whether a folder is complete', async () => {
    const folder = await written(small.cifar10);
    expect(await isComplete(small.cifar10, folder)).toBe(true);
    await truncate(join(folder, 'test_batch.bin'), 100);
    expect(await isComplete(small.cifar10, folder)).toBe(false);
    expect(await isComplete(small.cifar10, join(folder, 'nowhere'))).toBe(false);
  });

  // The sizes of the files as they are published; they are sparse here.
  it.each([
    [CIFAR_LAYOUTS.cifar10, { data_batch_1: 30_730_000, data_batch_5: 30_730_000, test_batch: 30_730_000 }],
    [CIFAR_LAYOUTS.cifar100, { train: 153_700_000, test: 30_740_000 }],
  ])('should be complete at the sizes that are published', async (layout, sizes: Record<string, number>) => {
    const folder = await written({ ...layout, records: { train: 1, test: 1 } });
    for (const file of [...layout.train, ...layout.test]) {
      await truncate(join(folder, file), sizes[file.replace('.bin', '')] ?? 30_730_000);
    }
    expect(await isComplete(layout, folder)).toBe(true);
  });

  it('should be looked for in the folder of the environment, unless a path is given', async () => {
    const folder = await folderFor();
    await withVariables({ VITMIM_DATA: folder }, async () => {
      await expect(openCifar({ name: 'cifar100' })).rejects.toThrow(join(folder, 'cifar-100-binary'));
      await expect(openDataset({ name: 'cifar10', imageSize: 32, path: 'elsewhere' })).rejects.toThrow(
        join(process.cwd(), 'elsewhere', 'batches.meta.txt'),
      );
    });
  });
});
