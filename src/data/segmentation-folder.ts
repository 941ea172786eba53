/** Images with masks in folders: ADE20K, PASCAL VOC 2012, or images/ and masks/. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { canonicalJson, sha256 } from '../common/canonical.js';
import { messageOf, TrainingError, unreachable, UsageError } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { count } from '../common/values.js';
import { answered, explained } from './answered.js';
import { hashFolder, type ListedFile } from './content-hashes.js';
import { DATA_KEYS, defineDataset, path, type DataOf, type OpenOptions } from './entry.js';
import { decodeIndexedPng } from './formats/indexed-png.js';
import { ImageCache } from './image-cache.js';
import { isFolder, stampOf } from './image-files.js';
import { mapInParallel } from './map-in-parallel.js';
import { readRegularFile } from './read-file.js';
import type { openReaders } from './readers.js';
import { findLayout, type Pair } from './segmentation-layouts.js';
import { sampleSplitOf, type Dataset, type Split } from './split.js';
import { IGNORED, type ClassMask } from './target.js';

/** Decoded bytes of images that a data set keeps in memory, both splits together. */
const CACHE_BYTES = 2 ** 30;

/** Files that are looked at at once. */
const AT_ONCE = 32;

const schema = z
  .strictObject({
    ...DATA_KEYS,
    name: z.literal('segmentation-folder'),
    imageSize: DATA_KEYS.imageSize.default(224),
    path: path.describe(
      'Folder with images/ and masks/, each with train/ and test/ (or val/); or ADEChallengeData2016, or VOC2012.',
    ),
    classes: z
      .union([count.max(IGNORED), z.array(z.string().min(1)).min(1).max(IGNORED)])
      .optional()
      .describe('The classes of pixels: how many, or their names. Default: classes.txt, one name a line.'),
    zeroIsIgnored: z
      .boolean()
      .optional()
      .describe('Whether 0 in a mask means no class, as 255 does, and c + 1 means class c, as in ADE20K.'),
  })
  .describe('Images with masks: a PNG file with the number of the class for each pixel, 255 for no class.');

export const segmentationFolder = defineDataset({
  schema,
  targets: 'mask',
  hasFolders: true,
  open: openSegmentationFolder,
});

/**
 * Opens a folder, see `segmentation-layouts.ts`. The fingerprint is the hash of every image's and mask's split, name and
 * content, of the classes and of what 0 means.
 *
 * @throws UsageError for folders that are missing or of no known layout, without classes, for an image without a mask, and for a
 *   file that cannot be read.
 */
async function openSegmentationFolder(
  { path, classes: given, zeroIsIgnored: asked, validation: chosen }: DataOf<typeof schema>,
  { cores, watch }: OpenOptions,
): Promise<Dataset<'mask'>> {
  const root = resolve(path);
  if (!(await isFolder(root))) {
    throw new UsageError(
      `segmentation-folder: there is no folder ${root}; data.path is to contain images/ and masks/, or to be ` +
        'ADEChallengeData2016 or VOC2012; for a set without files use data: { name: shapes, masks: true }',
    );
  }
  const wanted = chosen !== undefined && 'folder' in chosen ? chosen : undefined;
  const layout = await findLayout(root, wanted?.folder);
  const { test, validation } = layout;
  const train = wanted?.joined ? [...layout.train, ...validation] : layout.train;
  const zeroIsIgnored = asked ?? layout.zeroIsIgnored;
  const classes = namesOf(given) ?? layout.classes;
  if (classes === null || classes.length === 0) {
    throw new UsageError(
      `segmentation-folder: the classes of ${root} are not known; set data.classes to their number or names, or write ` +
        'classes.txt there, one name a line',
    );
  }
  if (new Set(classes).size < classes.length) {
    throw new UsageError(`segmentation-folder: two classes of ${root} have one name; give each its own`);
  }
  const files = [
    ...(await listedFiles('train', layout.train)),
    ...(await listedFiles('test', test)),
    ...(await listedFiles('validation', validation)),
  ];
  const hashed = await hashFolder(root, files, { ...watch, choice: layout.name }).catch((error: unknown) => {
    throw explained(error, `segmentation-folder: cannot read a file of ${root} (${messageOf(error)}).`);
  });
  if (watch.onChanged && hashed.before !== null && hashed.before !== hashed.fingerprint) {
    const changes = await hashed.changesSince(hashed.before);
    if (changes !== null) watch.onChanged(`${root} changed since it was last read (${changes})`);
  }
  const { openReaders } = await import('./readers.js'); // the decoder takes long to load, and only images need it
  const reading: Reading = {
    classes: classes.length,
    zeroIsIgnored,
    cache: new ImageCache(CACHE_BYTES),
    readFile: openReaders(cores),
  };
  return {
    name: 'segmentation-folder',
    targets: 'mask',
    classes,
    fingerprint: sha256(canonicalJson({ files: hashed.fingerprint, classes, zeroIsIgnored })),
    train: splitOfPairs(train, reading),
    test: splitOfPairs(test, reading),
    ...(wanted === undefined || wanted.joined ? {} : { validation: splitOfPairs(validation, reading) }),
    remarks: [`layout: ${layout.name}`],
  };
}

function namesOf(given: number | readonly string[] | undefined): readonly string[] | null {
  if (given === undefined) return null;
  return typeof given === 'number' ? Array.from({ length: given }, (_, i) => `class ${i}`) : given;
}

/** The files of a split, named by what they are for. */
async function listedFiles(role: string, pairs: readonly Pair[]): Promise<ListedFile[]> {
  const files = pairs.flatMap(({ name, image, mask }) => [
    { name: `${role}/images/${name}`, path: image },
    { name: `${role}/masks/${name}`, path: mask },
  ]);
  return mapInParallel(files, AT_ONCE, async ({ name, path }) => {
    try {
      return { name, path, ...stampOf(await answered(stat(path, { bigint: true }), path)) };
    } catch (error) {
      throw explained(
        error,
        `segmentation-folder: cannot read ${path} (${messageOf(error)}); add the file, or remove its image from the split`,
      );
    }
  });
}

interface Reading {
  readonly classes: number;
  readonly zeroIsIgnored: boolean;
  readonly cache: ImageCache;
  readonly readFile: ReturnType<typeof openReaders>;
}

function splitOfPairs(pairs: readonly Pair[], reading: Reading): Split<ClassMask> {
  const damaged = new Set<string>();
  return sampleSplitOf({
    damaged,
    labels: new Uint32Array(pairs.length),
    names: { image: (index) => pairs[index]!.image, class: () => 'of pixels' },
    async read(index) {
      const { image: imagePath, mask: maskPath } = pairs[index]!;
      const [image, target] = [await readPicture(imagePath, reading, damaged), await readMask(maskPath, reading)];
      if (image.height !== target.height || image.width !== target.width) {
        throw new TrainingError(
          `${maskPath} has ${target.width} × ${target.height} pixels, and its image ${imagePath} has ` +
            `${image.width} × ${image.height}; replace or remove them`,
        );
      }
      return { image, target };
    },
  });
}

async function readPicture(path: string, { cache, readFile }: Reading, damaged: Set<string>): Promise<ByteImage> {
  const kept = cache.get(path);
  if (kept !== undefined) return kept;
  const read = await readFile(path);
  switch (read.kind) {
    case 'image':
      if (read.damage !== null) damaged.add(path);
      return cache.keep(path, read.image);
    case 'corrupt':
      throw new TrainingError(`${path} cannot be decoded (${read.reason}); replace it, or remove it with its mask`);
    case 'unreadable':
      throw new TrainingError(
        `${path} cannot be read (${read.reason}); the data set opened with it, so restore it or run the sweep again`,
      );
    case 'timed-out':
      throw new TrainingError(read.reason, 'timed-out');
    default:
      return unreachable(read);
  }
}

async function readMask(path: string, { classes, zeroIsIgnored }: Reading): Promise<ClassMask> {
  let mask: ClassMask;
  try {
    mask = decodeIndexedPng(await readRegularFile(path));
  } catch (error) {
    throw new TrainingError(`${path} is no mask (${messageOf(error)}); replace it, or remove it with its image`);
  }
  const classOf = (value: number): number => (value === 0 || value === IGNORED ? IGNORED : value - 1);
  const data = zeroIsIgnored ? mask.data.map(classOf) : mask.data;
  const foreign = data.find((value) => value >= classes && value !== IGNORED);
  if (foreign !== undefined) {
    const written = zeroIsIgnored ? foreign + 1 : foreign;
    throw new TrainingError(
      `${path} has a pixel of class ${written}, and there are ${classes} classes; correct the mask or data.classes` +
        (zeroIsIgnored ? '' : ', or set data.zeroIsIgnored if 0 means no class'),
    );
  }
  return { ...mask, data };
}
