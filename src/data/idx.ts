/**
 * IDX files, the format of MNIST and its likes, plain or gzipped. Grey pixels become three equal channels.
 */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { messageOf, UsageError } from '../common/errors.js';
import { answered, explained, NoAnswer } from './answered.js';
import { DATA_KEYS, defineDataset, path, type DataOf } from './entry.js';
import { greyImage } from './formats/grey.js';
import { readRegularFile } from './read-file.js';
import { type Dataset, type ImageSource, splitOf } from './split.js';

const schema = z
  .strictObject({
    ...DATA_KEYS,
    name: z.literal('idx'),
    imageSize: DATA_KEYS.imageSize.default(32),
    path: path.describe(
      'Folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (also .gz, and as 7-zip names them: ' +
        'train-images.idx3-ubyte), or the folder that torchvision downloads to (MNIST/raw is found).',
    ),
  })
  .describe('IDX files: MNIST and its likes. Grey images become three equal channels.');

export const idx = defineDataset({ schema, targets: 'class', open: openIdx });

const PREFIXES = { train: 'train', test: 't10k' } as const;

/**
 * Opens the four files of a folder. The fingerprint is the hash of their content, the same plain or gzipped. Classes
 * are named by their numbers, 0 to the largest training label.
 *
 * @throws UsageError for a missing or malformed file.
 */
async function openIdx({ path }: DataOf<typeof schema>): Promise<Dataset<'class'>> {
  const folder = await findFolder(resolve(path));
  const hash = createHash('sha256');
  const readSplit = async (prefix: string): Promise<{ source: ImageSource; labelsFile: string }> => {
    const images = parse(await readIdx(folder, `${prefix}-images`, 3), 3);
    const labels = parse(await readIdx(folder, `${prefix}-labels`, 1), 1);
    if (images.shape[0] !== labels.shape[0]) {
      throw new UsageError(
        `idx: ${images.file} holds ${images.shape[0]!} images but ${labels.file} ${labels.shape[0]!} labels; ` +
          'both must come from the same download',
      );
    }
    hash.update(images.bytes).update(labels.bytes);
    return { source: sourceOf(images, labels), labelsFile: labels.file };
  };
  const train = await readSplit(PREFIXES.train);
  const test = await readSplit(PREFIXES.test);
  const classes = largest(train.source.labels) + 1;
  if (largest(test.source.labels) >= classes) {
    throw new UsageError(
      `idx: ${test.labelsFile} holds label ${largest(test.source.labels)}, but training has ${classes} classes only; both must come from the same download`,
    );
  }
  return {
    name: 'idx',
    targets: 'class',
    classes: Array.from({ length: classes }, (_, label) => String(label)),
    fingerprint: hash.digest('hex'),
    train: splitOf(train.source),
    test: splitOf(test.source),
  };
}

const largest = (labels: Uint32Array): number => labels.reduce((a, b) => Math.max(a, b), 0);

interface IdxFile {
  readonly file: string;
  /** The whole file, header included, unzipped. */
  readonly bytes: Buffer;
}

/** The names of a file: as the data set's page has it, and as 7-zip unpacks that. */
function namesOf(stem: string, dimensions: number): string[] {
  const plain = [`${stem}-idx${dimensions}-ubyte`, `${stem}.idx${dimensions}-ubyte`];
  return [...plain, ...plain.map((name) => `${name}.gz`)];
}

/** The first of these files that is in a folder. */
async function findFile(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    const entry = await answered(stat(path), path).catch((error: unknown) => {
      if (error instanceof NoAnswer) throw error;
    });
    // A folder may have the name of the file that it was unpacked with.
    if (entry?.isDirectory() === false) return path;
  }
  return undefined;
}

/**
 * The folder that has the files: the given one, or the one in it that torchvision downloads to (`MNIST/raw`).
 *
 * @throws UsageError if there is none, or more than one.
 */
async function findFolder(root: string): Promise<string> {
  const entries = await answered(readdir(root, { withFileTypes: true }), root).catch((error: unknown) => {
    throw explained(error, `idx: cannot list ${root} (${messageOf(error)}); ${REMEDY}`);
  });
  const within = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name, 'raw'));
  const found: string[] = [];
  for (const folder of [root, join(root, 'raw'), ...within.sort()]) {
    if ((await findFile(folder, namesOf(`${PREFIXES.train}-images`, 3))) !== undefined) found.push(folder);
    if (found[0] === root) break;
  }
  if (found.length > 1) {
    throw new UsageError(`idx: ${root} contains several data sets; set data.path to one of ${found.join(', ')}`);
  }
  // If there is none, reading reports which file is missing.
  return found[0] ?? root;
}

const REMEDY =
  'download the four files of the data set (train and t10k, images and labels) into that folder, or correct data.path';

/** The largest file that is read, in bytes, and the largest that is unzipped. */
const MOST_BYTES = 2 ** 31 - 1;

async function readIdx(folder: string, stem: string, dimensions: number): Promise<IdxFile> {
  const names = namesOf(stem, dimensions);
  const file = await findFile(folder, names);
  if (file === undefined) {
    throw new UsageError(`idx: neither ${names[0]!} nor ${names[0]!}.gz is in ${folder}; ${REMEDY}`);
  }
  const bytes = await readRegularFile(file, { most: MOST_BYTES }).catch((error: unknown) => {
    throw explained(error, `idx: cannot read ${file} (${messageOf(error)}); make it readable`);
  });
  if (!file.endsWith('.gz')) return { file, bytes };
  try {
    return { file, bytes: await promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES }) };
  } catch (error) {
    throw new UsageError(`idx: ${file} cannot be unzipped (${messageOf(error)}); download it again`);
  }
}

interface IdxArray extends IdxFile {
  readonly shape: readonly number[];
  readonly values: Buffer;
}

/**
 * Header: two zero bytes, the type (8: unsigned bytes), the number of dimensions, each dimension as a 32-bit integer.
 */
function parse({ file, bytes }: IdxFile, dimensions: number): IdxArray {
  const magic = 0x0800 + dimensions;
  const header = 4 + 4 * dimensions;
  if (bytes.length < header || bytes.readUInt32BE(0) !== magic) {
    const found =
      bytes.length < 4 ? `${bytes.length} bytes` : `0x${bytes.readUInt32BE(0).toString(16).padStart(8, '0')}`;
    throw new UsageError(
      `idx: ${file} does not begin with 0x${magic.toString(16).padStart(8, '0')} (unsigned bytes in ${dimensions} ` +
        `dimensions) but with ${found}; it is another file, or damaged: download it again`,
    );
  }
  const shape = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const expected = header + shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== expected || expected === header) {
    throw new UsageError(
      `idx: ${file} has ${bytes.length} bytes, but by its header (${shape.join(' × ')}) it needs ${expected}` +
        `${expected === header ? ', which is no data' : ''}; download it again`,
    );
  }
  return { file, bytes, shape, values: bytes.subarray(header) };
}

function sourceOf(images: IdxArray, labels: IdxArray): ImageSource {
  const [, height, width] = images.shape as [number, number, number];
  const size = height * width;
  return {
    labels: Uint32Array.from(labels.values),
    read: (index) => Promise.resolve(greyImage(height, width, (pixel) => images.values[index * size + pixel]!)),
  };
}
