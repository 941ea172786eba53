/**
 * Images in one folder a class, at their native sizes, decoded when they are read. Small sets are decoded once: what
 * has been decoded is kept up to a budget of memory.
 */
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../common/canonical.js';
import { messageOf, TrainingError, unreachable, UsageError } from '../common/errors.js';
import { explained } from './answered.js';
import { DATA_KEYS, defineDataset, path, type DataOf, type OpenOptions } from './entry.js';
import { hashFolder, type ListedFile } from './content-hashes.js';
import { DECODE_MODES } from './formats/format.js';
import { isFolder, LABELS, type ListedSplit } from './image-files.js';
import { ImageCache } from './image-cache.js';
import { listSplits, splitsSchema } from './image-splits.js';
import type { openReaders } from './readers.js';
import { type Dataset, emptySplit, type ImageSource, type Split, splitOf } from './split.js';

/** Decoded bytes that a data set keeps in memory, all splits together. */
const CACHE_BYTES = 2 ** 30;

const schema = z
  .strictObject({
    ...DATA_KEYS,
    name: z.literal('image-folder'),
    imageSize: DATA_KEYS.imageSize.default(224),
    path: path.describe('Folder with train/ and test/ (or val/), each with one folder of images a class.'),
    splits: splitsSchema.optional(),
    labels: z
      .enum(LABELS)
      .default('folders')
      .describe('folders: each folder of a split is a class; none: images have no classes.'),
    decode: z
      .enum(DECODE_MODES)
      .default('torchvision')
      .describe(
        "The pixels of Pillow's convert('RGB'), which torchvision, timm and MAE train on; or colour-managed: sRGB by the " +
          'colour profile, upright by EXIF, transparency over white.',
      ),
    corrupt: z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe(
        'A file that cannot be decoded: fail stops the stage; skip leaves the file out and names it, up to 5 % of a split.',
      ),
    damaged: z
      .enum(['use', 'skip', 'fail'])
      .default('use')
      .describe(
        'A file that the decoder warns of, such as a JPEG without its end, whose lower part is grey: use reads the file and ' +
          'names it; skip and fail are as for a file that cannot be decoded.',
      ),
  })
  .describe('Images in one folder a class.');

export const imageFolder = defineDataset({ schema, targets: 'class', hasFolders: true, open: openImageFolder });

/**
 * Opens the splits of a folder, see `image-splits.ts`. Classes are the sub-folders of a split in code-point order. Of a
 * class folder, every image counts, however deep; other files and hidden ones do not, and are counted by reason.
 *
 * The fingerprint is the hash of every image's split, class, name and content. Contents are read when a file is new or
 * its size, times or inode changed, see `content-hashes.ts`. The validation split is left out if no stage reads it.
 *
 * @param options Its cores are those of {@link openReaders}.
 * @throws UsageError for missing or empty folders, for splits whose classes differ, and for a file that cannot be read.
 */
async function openImageFolder(
  { path, splits, labels, decode, corrupt, damaged, validation: given }: DataOf<typeof schema>,
  { cores, watch }: OpenOptions,
): Promise<Dataset<'class'>> {
  const root = resolve(path);
  if (!(await isFolder(root))) {
    throw new UsageError(
      `image-folder: there is no folder ${root}; data.path is to contain train/ and test/ (or val/), each with one folder ` +
        `of images a class; to begin without, use \`vitmim data fetch cifar10\` and data.name cifar10, or shapes, ` +
        'which needs no files',
    );
  }
  const wanted = given !== undefined && 'folder' in given ? given : undefined;
  const { train, test, validation, remarks } = await listSplits(root, splits, labels, wanted?.folder);
  const named = { train, test, validation };
  const present = Object.entries(named).flatMap(([role, split]) => (split === null ? [] : [{ role, split }]));
  const broken = present.flatMap(({ split }) => brokenFiles(split));
  if (broken.length > 0 && corrupt === 'fail') {
    throw new UsageError(
      `image-folder: ${listed(broken)} cannot be decoded; remove or replace such files, or set data.corrupt: skip to pass ` +
        'over them',
    );
  }

  const files = [
    ...filesOf('train', train),
    ...(test === null ? [] : filesOf('test', test)),
    ...(validation === null || wanted === undefined ? [] : filesOf('validation', validation)),
  ];
  const choice = canonicalJson({ splits, labels, validation: wanted?.folder });
  const hashed = await hashFolder(root, files, { ...watch, choice }).catch((error: unknown) => {
    throw explained(
      error,
      `image-folder: cannot read a file of ${root} (${messageOf(error)}); make it readable, or remove it`,
    );
  });
  if (watch.onChanged && hashed.before !== null && hashed.before !== hashed.fingerprint) {
    const changes = await hashed.changesSince(hashed.before);
    if (changes !== null) watch.onChanged(`${root} changed since it was last read (${changes})`);
  }

  const { openReaders } = await import('./readers.js'); // the decoder takes long to load, and only images need it
  const reading: Reading = {
    corrupt,
    damaged,
    cache: new ImageCache(CACHE_BYTES),
    readFile: openReaders(cores, decode),
  };
  const open = (...parts: (ListedSplit | null)[]): Split<number> => {
    const listedParts = parts.filter((part) => part !== null);
    return listedParts.length === 0 ? emptySplit() : splitOf(sourceOf(listedParts, reading));
  };
  return {
    name: 'image-folder',
    targets: 'class',
    classes: train.labelled ? train.classes.map(({ name }) => name) : [],
    fingerprint: hashed.fingerprint,
    changesSince: (fingerprint) => hashed.changesSince(fingerprint),
    train: wanted?.joined ? open(train, validation) : open(train),
    test: open(test),
    ...(wanted === undefined || wanted.joined ? {} : { validation: open(validation) }),
    remarks: [
      ...remarks,
      ...(validation !== null && wanted === undefined
        ? [
            `${relative(root, validation.folder)}/ is not read: data.validation: { folder: ` +
              `${relative(root, validation.folder)} } makes it the validation split`,
          ]
        : []),
      ...present.flatMap(({ role, split: { ignored } }) => {
        const found = ignored.describe();
        return found === null ? [] : [`ignored in ${relative(root, ignored.folder) || role}/: ${found}`];
      }),
      ...(broken.length > 0 ? [`passed over: ${listed(broken)}`] : []),
    ],
  };
}

/** Files that an error or a remark names. */
const LISTED = 3;

function listed(broken: readonly string[]): string {
  const more = broken.length - LISTED;
  return broken.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function brokenFiles({ folder, classes }: ListedSplit): string[] {
  return classes.flatMap(({ name, files }) =>
    files.flatMap((file) => (file.broken ? [`${join(folder, name, file.name)} (${file.broken})`] : [])),
  );
}

/** The files of a split. They are named by what the split is for, so that `test/` and `val/` are the same content. */
function filesOf(role: 'train' | 'test' | 'validation', { folder, classes }: ListedSplit): ListedFile[] {
  return classes.flatMap(({ name: className, files }) => {
    const place = className === '' ? '' : `${className}/`;
    return files.map(({ name, stamp, changedAt, broken }) => ({
      name: `${role}/${place}${name}`,
      path: broken === undefined ? join(folder, className, name) : null,
      stamp,
      changedAt,
    }));
  });
}

interface Reading {
  readonly corrupt: DataOf<typeof schema>['corrupt'];
  readonly damaged: DataOf<typeof schema>['damaged'];
  readonly cache: ImageCache;
  readonly readFile: ReturnType<typeof openReaders>;
}

/** @param splits One or more, with the same classes. */
function sourceOf(splits: readonly ListedSplit[], { corrupt, damaged, cache, readFile }: Reading): ImageSource {
  const files = splits.flatMap(({ folder, classes }) =>
    classes.flatMap(({ name, files }, label) =>
      files.map((file) => ({ path: join(folder, name, file.name), broken: file.broken, label })),
    ),
  );
  const found = new Set<string>();
  return {
    labels: Uint32Array.from(files, ({ label }) => label),
    names: { image: (index) => files[index]!.path, class: (label) => splits[0]!.classes[label]!.name },
    damaged: found,
    async read(index) {
      const { path, broken } = files[index]!;
      const kept = cache.get(path);
      if (kept !== undefined) return kept;

      const read = broken === undefined ? await readFile(path) : ({ kind: 'corrupt', reason: broken } as const);
      switch (read.kind) {
        case 'image':
          if (read.damage !== null) {
            if (damaged !== 'use') read.image.release?.();
            if (damaged === 'skip') return null;
            if (damaged === 'fail') {
              throw new TrainingError(
                `${path} is damaged (${read.damage}); remove or replace it, or set data.damaged: use or skip`,
              );
            }
            found.add(path);
          }
          return cache.keep(path, read.image);
        case 'corrupt':
          if (corrupt === 'skip') return null;
          throw new TrainingError(
            `${path} cannot be decoded (${read.reason}); remove or replace it, or set data.corrupt: skip to pass over ` +
              'such files',
          );
        case 'unreadable': // is no corrupt image: never passed over
          throw new TrainingError(
            `${path} cannot be read (${read.reason}); the data set opened with it, so restore it or run the sweep again`,
          );
        case 'timed-out': // depends on the machine: never passed over
          throw new TrainingError(read.reason, 'timed-out');
        default:
          return unreachable(read);
      }
    },
  };
}
