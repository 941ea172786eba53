/**
 * Images in one folder a class, at their native sizes, decoded when they are read. Small sets are decoded once: what
 * has been decoded is kept up to a budget of memory.
 */
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, TrainingError, unreachable, UsageError } from '../common/errors.js';
import { DATA_KEYS, defineDataset, path, type DataOf, type OpenOptions } from './entry.js';
import { hashFolder, type ListedFile } from './content-hashes.js';
import { type ClassFolder, isFolder, listClasses } from './image-files.js';
import { ImageCache } from './image-cache.js';
import type { openReaders } from './readers.js';
import { type Dataset, type ImageSource, splitOf } from './split.js';

/** Decoded bytes that a data set keeps in memory, both splits together. */
const CACHE_BYTES = 2 ** 30;

const schema = z
  .strictObject({
    ...DATA_KEYS,
    name: z.literal('image-folder'),
    imageSize: DATA_KEYS.imageSize.default(224),
    path: path.describe('Folder with train/ and test/ (or val/), each with one folder of JPEG, PNG or WebP a class.'),
    corrupt: z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe('A file that cannot be decoded stops the stage, or is passed over and named, up to 5 % of a split.'),
  })
  .describe('Images in one folder a class.');

export const imageFolder = defineDataset({ schema, targets: 'class', open: openImageFolder });

/**
 * Opens `path`/train and `path`/test, or `path`/val where there is no test. Classes are the sub-folders in code-point
 * order. Of a class folder, every image counts, however deep; other files and hidden ones do not.
 *
 * The fingerprint is the hash of every image's split, class, name and content. Contents are read when a file is new or
 * its size, times or inode changed, see `content-hashes.ts`.
 *
 * @param options Its cores are those of {@link openReaders}.
 * @throws UsageError for missing or empty folders, for splits whose classes differ, and for a file that cannot be read.
 */
async function openImageFolder(
  { path, corrupt }: DataOf<typeof schema>,
  { cores, watch }: OpenOptions,
): Promise<Dataset<'class'>> {
  const root = resolve(path);
  if (!(await isFolder(root))) {
    throw new UsageError(
      `image-folder: there is no folder ${root}. data.path is to hold train/ and test/ (or val/), each with one folder ` +
        `of images a class. For a set to begin with: \`vitmim data fetch cifar10\` and data.name cifar10, or shapes, ` +
        'which needs no files.',
    );
  }
  const trainFolder = join(root, 'train');
  const testFolder = (await isFolder(join(root, 'test'))) ? join(root, 'test') : join(root, 'val');
  for (const [folder, asked] of [
    [trainFolder, 'train/'],
    [testFolder, 'test/ or val/'],
  ] as const) {
    if (!(await isFolder(folder)))
      throw new UsageError(
        `image-folder: there is no ${asked} in ${root}. It is to hold one folder of images a class.`,
      );
  }
  const [train, test] = await Promise.all([listClasses(trainFolder), listClasses(testFolder)]);
  checkSameClasses(trainFolder, train, testFolder, test);

  const listed = [...filesOf(root, trainFolder, train), ...filesOf(root, testFolder, test)];
  const hashed = await hashFolder(root, listed, watch).catch((error: unknown) => {
    throw new UsageError(
      `image-folder: cannot read a file of ${root} (${messageOf(error)}). Make it readable, or remove it.`,
    );
  });
  if (watch.onChanged && hashed.before !== null && hashed.before !== hashed.fingerprint) {
    const changes = await hashed.changesSince(hashed.before);
    if (changes !== null) watch.onChanged(`${root} changed since it was last read (${changes})`);
  }

  const { openReaders } = await import('./readers.js'); // the decoder takes long to load, and only images need it
  const cache = new ImageCache(CACHE_BYTES);
  const reading = { corrupt, cache, readFile: openReaders(cores) };
  return {
    name: 'image-folder',
    targets: 'class',
    classes: train.map(({ name }) => name),
    fingerprint: hashed.fingerprint,
    changesSince: (fingerprint) => hashed.changesSince(fingerprint),
    train: splitOf(sourceOf(trainFolder, train, reading)),
    test: splitOf(sourceOf(testFolder, test, reading)),
  };
}

/** The files of a split, named from the root. */
function filesOf(root: string, split: string, classes: readonly ClassFolder[]): ListedFile[] {
  const above = relative(root, split);
  return classes.flatMap(({ name: className, files }) =>
    files.map(({ name, stamp, changedAt }) => ({ name: `${above}/${className}/${name}`, stamp, changedAt })),
  );
}

function checkSameClasses(
  trainFolder: string,
  train: readonly ClassFolder[],
  testFolder: string,
  test: readonly ClassFolder[],
): void {
  const lacking = (from: readonly ClassFolder[], others: readonly ClassFolder[]): string[] => {
    const names = new Set(others.map(({ name }) => name));
    return from.map(({ name }) => name).filter((name) => !names.has(name));
  };
  const complaints = [
    [trainFolder, lacking(test, train)],
    [testFolder, lacking(train, test)],
  ] as const;
  const text = complaints
    .filter(([, names]) => names.length > 0)
    .map(([folder, names]) => `${folder} lacks ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' and more' : ''}`);
  if (text.length > 0) {
    throw new UsageError(
      `image-folder: both splits must have the same class folders, but ${text.join('; ')}. ` +
        'Sort the images into folders named as in the other split.',
    );
  }
}

interface Reading {
  readonly corrupt: DataOf<typeof schema>['corrupt'];
  readonly cache: ImageCache;
  readonly readFile: ReturnType<typeof openReaders>;
}

function sourceOf(folder: string, classes: readonly ClassFolder[], { corrupt, cache, readFile }: Reading): ImageSource {
  const paths = classes.flatMap(({ name, files }) => files.map((file) => join(folder, name, file.name)));
  return {
    labels: Uint32Array.from(classes.flatMap(({ files }, label) => files.map(() => label))),
    names: { image: (index) => paths[index]!, class: (label) => classes[label]!.name },
    async read(index) {
      const path = paths[index]!;
      const kept = cache.get(path);
      if (kept !== undefined) return kept;

      const read = await readFile(path);
      switch (read.kind) {
        case 'image':
          return cache.keep(path, read.image);
        case 'corrupt':
          if (corrupt === 'skip') return null;
          throw new TrainingError(
            `${path} cannot be decoded (${read.reason}). Remove or replace it, or set data.corrupt: skip to pass over ` +
              'such files.',
          );
        case 'unreadable': // is no corrupt image: never passed over
          throw new TrainingError(`${path} cannot be read (${read.reason}). The data set opened with it.`);
        default:
          return unreachable(read);
      }
    },
  };
}
