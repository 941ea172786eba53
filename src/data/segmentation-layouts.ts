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
  /** Those of the folder that is wanted for validation; empty: none is wanted. */
  readonly validation: readonly Pair[];
  /** The names of the classes, if the layout has them. */
  readonly classes: readonly string[] | null;
  /** Whether 0 in a mask means that the pixel has no class, and class c is written as c + 1. */
  readonly zeroIsIgnored: boolean;
}

/**
 * Recognises the layout of a folder.
 *
 * @param wanted The folder of the validation images, below images/ and masks/; undefined: none.
 * @throws UsageError for a folder with none of the layouts, a split without images, an image without a mask, a list
 *   with missing files, and a validation folder if the layout has none.
 */
export async function findLayout(root: string, wanted?: string): Promise<SegmentationLayout> {
  const layout = await knownLayout(root, wanted);
  if (wanted === undefined || layout.name === 'images and masks') return layout;
  throw new UsageError(
    `segmentation-folder: the layout ${layout.name} of ${root} has no folder ${wanted} for validation; set data.validation to ` +
      'a fraction or a number of images of the training split',
  );
}

async function knownLayout(root: string, wanted: string | undefined): Promise<SegmentationLayout> {
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
  if ((await isFolder(join(root, 'images'))) && (await isFolder(join(root, 'masks')))) return plain(root, wanted);
  throw new UsageError(
    `segmentation-folder: ${root} has no layout that is known; data.path is to contain images/ and masks/, each with train/ ` +
      'and test/ (or val/); or be ADEChallengeData2016 of ADE20K, or VOC2012 of PASCAL VOC',
  );
}

async function ade20k(folder: string): Promise<SegmentationLayout> {
  const pairsOf = (split: string) => pairsIn(join(folder, 'images', split), join(folder, 'annotations', split));
  const [train, test] = [await pairsOf('training'), await pairsOf('validation')];
  return {
    name: 'ADE20K',
    train,
    test,
    validation: [],
    classes: (await adeNames(folder)) ?? Array.from({ length: ADE_CLASSES }, (_, i) => `class ${i + 1}`),
    zeroIsIgnored: true,
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
    if (text === null) throw new UsageError(`segmentation-folder: there is no ${list}; get the data set again`);
    const names = text.split('\n').flatMap((line) => /\S+/.exec(line)?.[0] ?? []);
    if (names.length === 0)
      throw new UsageError(`segmentation-folder: ${list} names no images; get the data set again`);
    if (names.some((name) => !/^[\w-]+$/.test(name))) {
      throw new UsageError(
        `segmentation-folder: ${list} has a line that is no name of an image; get the data set again`,
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
    validation: [],
    classes: VOC_CLASSES,
    zeroIsIgnored: false,
  };
}

/** Names of the test split, the preferred one first. */
const TEST_NAMES = ['test', 'val', 'validation'] as const;

async function plain(root: string, wanted: string | undefined): Promise<SegmentationLayout> {
  const pairsOf = (split: string) => pairsIn(join(root, 'images', split), join(root, 'masks', split));
  const validation = wanted === undefined ? null : join(wanted);
  if (validation === 'train' || validation === '.') {
    throw new UsageError(
      `segmentation-folder: data.validation.folder is ${wanted}, which has the training images of ${root}; name another folder ` +
        'of images/ and masks/, or set a fraction or a number of images',
    );
  }
  const train = await pairsOf('train');
  let test: Pair[] = [];
  for (const name of TEST_NAMES) {
    if (name === validation || !(await isFolder(join(root, 'images', name)))) continue;
    test = await pairsOf(name);
    break;
  }
  const names = await textOf(join(root, 'classes.txt'));
  const classes = names === null ? null : names.split('\n').flatMap((line) => line.trim() || []);
  return {
    name: 'images and masks',
    train,
    test,
    validation: validation === null ? [] : await pairsOf(validation),
    classes,
    zeroIsIgnored: false,
  };
}

/**
 * The images of a folder with the masks of another, in code-point order.
 *
 * @throws UsageError for a folder without images, and for images without a mask.
 */
async function pairsIn(images: string, masks: string): Promise<Pair[]> {
  const present = await namesIn(masks);
  const files = (await namesIn(images)).filter((name) => IMAGE_NAME.test(name) && !name.startsWith('.')).sort();
  if (files.length === 0) {
    throw new UsageError(`segmentation-folder: there are no images in ${images}; add them, or correct data.path`);
  }
  const pairs = files.map((file): Pair => {
    const name = stemOf(file);
    return { name, image: join(images, file), mask: join(masks, `${name}.png`) };
  });
  const known = new Set(present);
  const [first, ...others] = pairs.filter(({ name }) => !known.has(`${name}.png`));
  if (first !== undefined) throw withoutMask(first, others.length, present);
  return pairs;
}

const stemOf = (file: string): string => file.replace(/\.[^.]+$/, '');

/**
 * @param others How many further images have no mask.
 * @param present The names of the files in the folder of masks.
 */
function withoutMask({ name, image, mask }: Pair, others: number, present: readonly string[]): UsageError {
  const more = others === 0 ? '' : `, and ${others} more of this folder have none`;
  const other = present.find((file) => stemOf(file) === name);
  const found =
    other === undefined ? '' : `; there is ${other}, but only PNG files have the numbers of classes unchanged`;
  return new UsageError(
    `segmentation-folder: ${image} has no mask ${mask}${more}${found}; add the missing masks, or remove the images`,
  );
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
