/** Finds the images and masks of a folder for segmentation: of ADE20K, of PASCAL VOC 2012, or in images/ and masks/. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { answered, explained } from './answered.js';
import { IMAGE_NAME } from './formats/index.js';
import { isFolder } from './image-files.js';
import { readRegularFile } from './read-file.js';

/** An image and its mask. */
export interface Pair {
  /** The name that both have, without an extension. */
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

export interface SegmentationLayout {
  readonly name: 'ADE20K' | 'VOC 2012' | 'images and masks';
  readonly train: readonly Pair[];
  /** Empty: there is none. */
  readonly test: readonly Pair[];
  /** The names of the classes, if the layout has them. */
  readonly classes: readonly string[] | null;
  /** Whether 0 in a mask means that the pixel has no class, and class c is written as c + 1. */
  readonly zeroIsIgnored: boolean;
  readonly remarks: readonly string[];
}

/**
 * Recognises the layout of a folder.
 *
 * @throws UsageError for a folder with none of the layouts, a split without images, and a list with missing files.
 */
export async function findLayout(root: string): Promise<SegmentationLayout> {
  for (const folder of [root, join(root, 'ADEChallengeData2016')]) {
    if (
      (await isFolder(join(folder, 'annotations', 'training'))) &&
      (await isFolder(join(folder, 'images', 'training')))
    )
      return ade20k(folder);
  }
  for (const folder of [root, join(root, 'VOC2012'), join(root, 'VOCdevkit', 'VOC2012')]) {
    if (await isFolder(join(folder, 'SegmentationClass'))) return voc2012(folder);
  }
  if ((await isFolder(join(root, 'images'))) && (await isFolder(join(root, 'masks')))) return plain(root);
  throw new UsageError(
    `segmentation-folder: ${root} has no layout that is known. data.path is to contain images/ and masks/, each with train/ ` +
      'and test/ (or val/); or be ADEChallengeData2016 of ADE20K, or VOC2012 of PASCAL VOC.',
  );
}

async function ade20k(folder: string): Promise<SegmentationLayout> {
  const pairsOf = (split: string) => pairsIn(join(folder, 'images', split), join(folder, 'annotations', split));
  const [train, test] = [await pairsOf('training'), await pairsOf('validation')];
  return {
    name: 'ADE20K',
    train: train.pairs,
    test: test.pairs,
    classes: (await adeNames(folder)) ?? Array.from({ length: ADE_CLASSES }, (_, i) => `class ${i + 1}`),
    zeroIsIgnored: true,
    remarks: [...train.remarks, ...test.remarks],
  };
}

const ADE_CLASSES = 150;

/** The first name of each class in objectInfo150.txt: index, ratio, train, val, stuff, name, with tabs between them. */
async function adeNames(folder: string): Promise<string[] | null> {
  const text = await textOf(join(folder, 'objectInfo150.txt'));
  if (text === null) return null;
  const names = text
    .split('\n')
    .slice(1)
    .flatMap((line) => line.trim().split('\t').at(-1)?.split(/[,;]/)[0]?.trim() ?? [])
    .filter((name) => name !== '');
  return names.length === ADE_CLASSES && new Set(names).size === ADE_CLASSES ? names : null;
}

const VOC_CLASSES = [
  ...['background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow'],
  ...['diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor'],
] as const;

async function voc2012(folder: string): Promise<SegmentationLayout> {
  const pairsOf = async (split: string): Promise<Pair[]> => {
    const list = join(folder, 'ImageSets', 'Segmentation', `${split}.txt`);
    const text = await textOf(list);
    if (text === null) throw new UsageError(`segmentation-folder: there is no ${list}; get the data set again.`);
    const names = text.split('\n').flatMap((line) => /\S+/.exec(line)?.[0] ?? []);
    if (names.length === 0)
      throw new UsageError(`segmentation-folder: ${list} names no images; get the data set again.`);
    if (names.some((name) => !/^[\w-]+$/.test(name))) {
      throw new UsageError(
        `segmentation-folder: ${list} has a line that is no name of an image; get the data set again.`,
      );
    }
    return names.map((name) => ({
      name,
      image: join(folder, 'JPEGImages', `${name}.jpg`),
      mask: join(folder, 'SegmentationClass', `${name}.png`),
    }));
  };
  return {
    name: 'VOC 2012',
    train: await pairsOf('train'),
    test: await pairsOf('val'),
    classes: VOC_CLASSES,
    zeroIsIgnored: false,
    remarks: [],
  };
}

/** Names of the test split, the preferred one first. */
const TEST_NAMES = ['test', 'val', 'validation'] as const;

async function plain(root: string): Promise<SegmentationLayout> {
  const pairsOf = (split: string) => pairsIn(join(root, 'images', split), join(root, 'masks', split));
  const train = await pairsOf('train');
  let test: Awaited<ReturnType<typeof pairsIn>> = { pairs: [], remarks: [] };
  for (const name of TEST_NAMES) {
    if (!(await isFolder(join(root, 'images', name)))) continue;
    test = await pairsOf(name);
    break;
  }
  const names = await textOf(join(root, 'classes.txt'));
  const classes = names === null ? null : names.split('\n').flatMap((line) => line.trim() || []);
  return {
    name: 'images and masks',
    train: train.pairs,
    test: test.pairs,
    classes,
    zeroIsIgnored: false,
    remarks: [...train.remarks, ...test.remarks],
  };
}

/** The images of a folder that have a mask of their name in another, in code-point order. */
async function pairsIn(images: string, masks: string): Promise<{ pairs: Pair[]; remarks: string[] }> {
  const present = new Set(await namesIn(masks));
  const files = (await namesIn(images)).filter((name) => IMAGE_NAME.test(name) && !name.startsWith('.')).sort();
  const pairs = files.flatMap((file) => {
    const name = file.replace(/\.[^.]+$/, '');
    const mask = `${name}.png`;
    return present.has(mask) ? [{ name, image: join(images, file), mask: join(masks, mask) }] : [];
  });
  const lacking = files.length - pairs.length;
  if (pairs.length === 0) {
    throw new UsageError(
      `segmentation-folder: no image of ${images} has a mask in ${masks}; a mask has the name of its image, with .png.`,
    );
  }
  const count = lacking === 1 ? '1 image' : `${lacking} images`;
  return { pairs, remarks: lacking === 0 ? [] : [`not used: ${count} of ${images} without a mask`] };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await answered(readdir(folder), folder);
  } catch (error) {
    throw explained(error, `segmentation-folder: cannot list ${folder} (${messageOf(error)}).`);
  }
}

const MOST_TEXT = 2 ** 20;

/** null: there is no such file. */
async function textOf(path: string): Promise<string | null> {
  try {
    return (await readRegularFile(path, { most: MOST_TEXT })).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw explained(error, `segmentation-folder: cannot read ${path} (${messageOf(error)}).`);
  }
}
