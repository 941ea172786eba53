/**
 * IDX files, the format of MNIST and its likes, plain or gzipped. Grey pixels become three equal channels.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { DATA_KEYS, defineDataset, path, type DataOf } from './entry.js';
import { type Dataset, type ImageSource, splitOf } from './split.js';

const schema = z
  .strictObject({
    ...DATA_KEYS,
    name: z.literal('idx'),
    imageSize: DATA_KEYS.imageSize.default(32),
    path: path.describe('Folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (also .gz).'),
  })
  .describe('IDX files: MNIST and its likes. Grey images become three equal channels.');

export const idx = defineDataset({ schema, targets: 'class', open: openIdx });

const PREFIXES = { train: 'train', test: 't10k' } as const;

/**
 * Opens the four files of a folder. The fingerprint is the hash of their content, the same plain or gzipped. Classes are
 * named by their numbers, 0 to the largest training label.
 *
 * @throws UsageError for a missing or malformed file.
 */
async function openIdx({ path }: DataOf<typeof schema>): Promise<Dataset<'class'>> {
  const hash = createHash('sha256');
  const readSplit = async (prefix: string): Promise<{ source: ImageSource; labelsFile: string }> => {
    const images = parse(await readIdx(path, `${prefix}-images-idx3-ubyte`), 3);
    const labels = parse(await readIdx(path, `${prefix}-labels-idx1-ubyte`), 1);
    if (images.shape[0] !== labels.shape[0]) {
      throw new UsageError(
        `idx: ${images.file} holds ${images.shape[0]!} images but ${labels.file} ${labels.shape[0]!} labels. ` +
          'Both must come from the same download.',
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
      `idx: ${test.labelsFile} holds label ${largest(test.source.labels)}, but training has ${classes} classes only.`,
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

async function readIdx(folder: string, name: string): Promise<IdxFile> {
  const plain = resolve(join(folder, name));
  const bytes = await readIfThere(plain);
  if (bytes !== undefined) return { file: plain, bytes };

  const file = `${plain}.gz`;
  const zipped = await readIfThere(file);
  if (zipped === undefined) {
    throw new UsageError(
      `idx: neither ${name} nor ${name}.gz is in ${resolve(folder)}. Download the four files of the data set ` +
        '(train and t10k, images and labels) into that folder, or correct data.path.',
    );
  }
  try {
    return { file, bytes: await promisify(gunzip)(zipped) };
  } catch (error) {
    throw new UsageError(`idx: ${file} cannot be unzipped (${messageOf(error)}). Download it again.`);
  }
}

/** undefined: there is no such file. */
async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw new UsageError(`idx: cannot read ${path} (${messageOf(error)}).`);
  }
}

interface IdxArray extends IdxFile {
  readonly shape: readonly number[];
  readonly values: Buffer;
}

/** Header: two zero bytes, the type (8: unsigned bytes), the number of dimensions, each dimension as a 32-bit integer. */
function parse({ file, bytes }: IdxFile, dimensions: number): IdxArray {
  const magic = 0x0800 + dimensions;
  const header = 4 + 4 * dimensions;
  if (bytes.length < header || bytes.readUInt32BE(0) !== magic) {
    const found =
      bytes.length < 4 ? `${bytes.length} bytes` : `0x${bytes.readUInt32BE(0).toString(16).padStart(8, '0')}`;
    throw new UsageError(
      `idx: ${file} does not begin with 0x${magic.toString(16).padStart(8, '0')} (unsigned bytes in ${dimensions} ` +
        `dimensions) but with ${found}. It is another file, or damaged: download it again.`,
    );
  }
  const shape = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const expected = header + shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== expected || expected === header) {
    throw new UsageError(
      `idx: ${file} has ${bytes.length} bytes, but its header (${shape.join(' × ')}) asks for ${expected}` +
        `${expected === header ? ', which is no data' : ''}. Download it again.`,
    );
  }
  return { file, bytes, shape, values: bytes.subarray(header) };
}

function sourceOf(images: IdxArray, labels: IdxArray): ImageSource {
  const [, height, width] = images.shape as [number, number, number];
  const size = height * width;
  return {
    labels: Uint32Array.from(labels.values),
    read: (index) =>
      Promise.resolve(replicate(images.values.subarray(index * size, (index + 1) * size), height, width)),
  };
}

function replicate(grey: Uint8Array, height: number, width: number): ByteImage {
  const data = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) data.fill(grey[i]!, 3 * i, 3 * i + 3);
  return { data, height, width };
}
