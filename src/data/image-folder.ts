/**
 * Images in one folder a class, at their native sizes, decoded when they are read. Small sets are decoded once: what
 * has been decoded is kept up to a budget of memory.
 */
import { join, resolve } from 'node:path';
import { canonicalJson, sha256 } from '../common/canonical.js';
import { TrainingError, unreachable, UsageError } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import type { UnlabelledData } from '../spec/stages.js';
import { type ClassFolder, isFolder, listClasses } from './image-files.js';
import { openReaders } from './readers.js';
import { type Dataset, type ImageSource, splitOf } from './split.js';

/** Decoded bytes that a data set keeps in memory, both splits together. */
const CACHE_BYTES = 2 ** 30;

type ImageFolderData = Extract<UnlabelledData, { name: 'image-folder' }>;

/**
 * Opens `path`/train and `path`/test, or `path`/val where there is no test. Classes are the sub-folders in code-point
 * order. Of a class folder, every image counts, however deep; other files and hidden ones do not.
 *
 * The fingerprint is the hash of every image's split, class, name and size in bytes: a file replaced by another of the
 * same size goes unnoticed, which hashing all pixels of a large set at every start would not be worth.
 *
 * @param cores That reading may have, see {@link openReaders}.
 * @throws UsageError for missing or empty folders, and for splits whose classes differ.
 */
export async function openImageFolder({ path, corrupt }: ImageFolderData, cores: number): Promise<Dataset> {
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

  const cache = new ImageCache(CACHE_BYTES);
  const reading = { corrupt, cache, readFile: openReaders(cores) };
  return {
    name: 'image-folder',
    classes: train.map(({ name }) => name),
    fingerprint: sha256(canonicalJson({ train: withoutPaths(train), test: withoutPaths(test) })),
    train: splitOf(sourceOf(trainFolder, train, reading)),
    test: splitOf(sourceOf(testFolder, test, reading)),
  };
}

const withoutPaths = (classes: readonly ClassFolder[]) =>
  classes.map(({ name, files }) => [name, files.map((file) => [file.name, file.bytes])]);

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

/** Decoded images up to a budget. None is dropped for another: epochs read all in turn, where that would keep none. */
class ImageCache {
  private readonly images = new Map<string, ByteImage>();
  private left: number;

  constructor(budget: number) {
    this.left = budget;
  }

  get(path: string): ByteImage | undefined {
    return this.images.get(path);
  }

  /** @returns The image, or the one that is kept for it. */
  keep(path: string, image: ByteImage): ByteImage {
    const { data, height, width, release } = image;
    if (data.length > this.left || this.images.has(path)) return image;
    const kept = { data: release ? data.slice() : data, height, width };
    release?.();
    this.left -= data.length;
    this.images.set(path, kept);
    return kept;
  }
}

interface Reading {
  readonly corrupt: ImageFolderData['corrupt'];
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
