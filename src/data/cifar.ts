/**
 * CIFAR-10 and CIFAR-100 in their official binary files: records of label bytes and 3072 bytes of planar RGB. The bytes
 * stay in memory as they are; `fetch.ts` gets the files.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, UsageError } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { explained } from './answered.js';
import { DATA_KEYS, defineDataset, path } from './entry.js';
import { dataHome } from './home.js';
import { readRegularFile } from './read-file.js';
import { type Dataset, type ImageSource, splitOf } from './split.js';

export type CifarName = 'cifar10' | 'cifar100';

/** How one of the data sets is laid out. */
export interface CifarLayout {
  readonly name: CifarName;
  /** The folder that the official archive unpacks to. */
  readonly folder: string;
  /** The file of class names, one a line. */
  readonly names: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Records in each file of a split. */
  readonly records: { readonly train: number; readonly test: number };
  /** Bytes before the pixels; the last of them is the label that is used. */
  readonly labelBytes: number;
}

export const CIFAR_LAYOUTS: Record<CifarName, CifarLayout> = {
  cifar10: {
    name: 'cifar10',
    folder: 'cifar-10-batches-bin',
    names: 'batches.meta.txt',
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: ['test_batch.bin'],
    records: { train: 10_000, test: 10_000 },
    labelBytes: 1,
  },
  cifar100: {
    name: 'cifar100',
    folder: 'cifar-100-binary',
    names: 'fine_label_names.txt',
    train: ['train.bin'],
    test: ['test.bin'],
    records: { train: 50_000, test: 10_000 },
    labelBytes: 2,
  },
};

const SIDE = 32;
const PLANE = SIDE * SIDE;

/** Opens CIFAR at its path, or in the folder of `vitmim data fetch`. */
export function openCifar({ name, path }: { name: CifarName; path?: string | undefined }): Promise<Dataset<'class'>> {
  const layout = CIFAR_LAYOUTS[name];
  return readCifar(layout, path ?? join(dataHome(), layout.folder));
}

function cifar<const Name extends CifarName>(name: Name, title: string, md5: string, archive: string) {
  const layout = CIFAR_LAYOUTS[name];
  return defineDataset({
    schema: z
      .strictObject({
        ...DATA_KEYS,
        name: z.literal(name),
        imageSize: DATA_KEYS.imageSize.default(32),
        path: path.optional().describe('Folder of the binary files; `vitmim data fetch` fills the default.'),
      })
      .describe(`${title} in its official binary files.`),
    targets: 'class',
    open: openCifar,
    archive: {
      url: `https://www.cs.toronto.edu/~kriz/${archive}`,
      md5,
      mostBytes: 256 << 20, // either archive has some 162 MiB
      folder: layout.folder,
      isComplete: (folder) => isComplete(layout, folder),
    },
  });
}

export const cifar10 = cifar('cifar10', 'CIFAR-10', 'c32a1d4ab5d03f1284b67883e8d87530', 'cifar-10-binary.tar.gz');
export const cifar100 = cifar('cifar100', 'CIFAR-100', '03b5dce01913d631647c71ecec9e9cb8', 'cifar-100-binary.tar.gz');

/**
 * Reads the files of one layout. The fingerprint is the hash of all their bytes.
 *
 * @throws UsageError for a file that is missing, has the wrong size or holds an impossible label.
 */
export async function readCifar(layout: CifarLayout, folder: string): Promise<Dataset<'class'>> {
  const hash = createHash('sha256');
  const read = async (file: string): Promise<Buffer> => {
    const bytes = await readOrExplain(layout, join(folder, file));
    hash.update(bytes);
    return bytes;
  };
  const names = await read(layout.names);
  const classes = names.toString('utf8').split(/\r?\n/).filter(Boolean);

  const readSplit = async (split: 'train' | 'test'): Promise<ImageSource> => {
    const files: Buffer[] = [];
    for (const file of layout[split]) {
      const bytes = await read(file);
      check(layout, join(folder, file), bytes, layout.records[split], classes.length);
      files.push(bytes);
    }
    return sourceOf(layout, files);
  };
  const train = splitOf(await readSplit('train'));
  const test = splitOf(await readSplit('test'));
  return { name: layout.name, targets: 'class', classes, fingerprint: hash.digest('hex'), train, test };
}

const recordBytes = (layout: CifarLayout): number => layout.labelBytes + 3 * PLANE;

/** Whether a folder holds every file of a layout, at its full size. */
export async function isComplete(layout: CifarLayout, folder: string): Promise<boolean> {
  const sizeOf = async (file: string): Promise<number | undefined> => {
    const entry = await stat(join(folder, file)).catch(() => undefined);
    return entry?.isFile() === true ? entry.size : undefined;
  };
  const full = (files: readonly string[], records: number) =>
    files.map(async (file) => (await sizeOf(file)) === records * recordBytes(layout));
  const checks = await Promise.all([
    ...full(layout.train, layout.records.train),
    ...full(layout.test, layout.records.test),
    sizeOf(layout.names).then((size) => size !== undefined && size > 0),
  ]);
  return checks.every(Boolean);
}

async function readOrExplain(layout: CifarLayout, path: string): Promise<Buffer> {
  try {
    return await readRegularFile(path);
  } catch (error) {
    throw explained(
      error,
      `${layout.name}: cannot read ${resolve(path)} (${messageOf(error)}); ` +
        `get the data set with \`vitmim data fetch ${layout.name}\`, or give the folder of its binary files as data.path`,
    );
  }
}

function check(layout: CifarLayout, path: string, bytes: Buffer, records: number, classes: number): void {
  const size = recordBytes(layout);
  const remedy = `Get it again with \`vitmim data fetch ${layout.name}\`.`;
  if (bytes.length !== records * size) {
    throw new UsageError(
      `${layout.name}: ${resolve(path)} has ${bytes.length} bytes instead of ${records * size}. ${remedy}`,
    );
  }
  for (let record = 0; record < records; record++) {
    const label = bytes[record * size + layout.labelBytes - 1]!;
    if (label >= classes)
      throw new UsageError(
        `${layout.name}: ${resolve(path)}, record ${record}: label ${label} of ${classes} classes. ${remedy}`,
      );
  }
}

function sourceOf(layout: CifarLayout, files: readonly Buffer[]): ImageSource {
  const size = recordBytes(layout);
  const perFile = files[0]!.length / size;
  const record = (index: number): Buffer => {
    const start = (index % perFile) * size;
    return files[Math.floor(index / perFile)]!.subarray(start, start + size);
  };
  return {
    labels: Uint32Array.from({ length: perFile * files.length }, (_, i) => record(i)[layout.labelBytes - 1]!),
    read: (index) => Promise.resolve(interleave(record(index).subarray(layout.labelBytes))),
  };
}

/** Three planes, red first, to interleaved pixels. */
function interleave(planes: Uint8Array): ByteImage {
  const data = new Uint8Array(3 * PLANE);
  for (let i = 0; i < PLANE; i++) {
    data[3 * i] = planes[i]!;
    data[3 * i + 1] = planes[PLANE + i]!;
    data[3 * i + 2] = planes[2 * PLANE + i]!;
  }
  return { data, height: SIDE, width: SIDE };
}
