/** Which folders of an image folder are its splits: those that the spec names, or those with the usual names. */
import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../common/errors.js';
import { folderBelow } from './folder-below.js';
import { hasFolders, isFolder, type LabelSource, listSplit, type ListedSplit } from './image-files.js';

export const splitsSchema = z
  .strictObject({
    train: folderBelow.describe('Folder of the training images; `.` for data.path itself.'),
    test: folderBelow.optional().describe('Folder of the images that evaluations measure on.'),
    validation: folderBelow
      .optional()
      .describe('Folder of images that no stage reads, unless data.validation.folder names it too.'),
  })
  .describe(
    'Folders of the splits, below data.path. Default: train/, and test/, val/ or validation/ with the same labels.',
  );

export type SplitFolders = z.output<typeof splitsSchema>;

export interface ListedSplits {
  readonly train: ListedSplit;
  readonly test: ListedSplit | null;
  readonly validation: ListedSplit | null;
  /** The choices that the spec leaves open, a sentence each. */
  readonly remarks: readonly string[];
}

/** Names of the test split if the spec names none, the preferred one first. */
const TEST_NAMES = ['test', 'val', 'validation'] as const;

const LAYOUT =
  'data.path is to contain train/ and test/ (or val/), each with one folder of images per class; data.splits names other ' +
  'folders, and for pre-training only, a folder of images is enough';

/**
 * Lists the splits of a folder.
 *
 * @param folders undefined: those with the usual names.
 * @param wanted The folder of the validation images; undefined: the one of `folders`, if there is one.
 * @throws UsageError for folders that are missing, empty or overlap, and for splits whose classes differ.
 */
export async function listSplits(
  root: string,
  folders: SplitFolders | undefined,
  labels: LabelSource,
  wanted?: string,
): Promise<ListedSplits> {
  const { train, test, validation, remarks } = folders
    ? await namedSplits(root, withValidation(folders, wanted), labels)
    : await withWanted(root, await usualSplits(root, labels, wanted), labels, wanted);
  checkSameClasses(train, test);
  checkSameClasses(train, validation);
  return { train, test, validation, remarks };
}

/** @throws UsageError if the two keys name different folders. */
function withValidation(folders: SplitFolders, wanted: string | undefined): SplitFolders {
  if (wanted === undefined) return folders;
  if (folders.validation !== undefined && join(folders.validation) !== join(wanted)) {
    throw new UsageError(
      `image-folder: data.splits.validation is ${folders.validation}, and data.validation.folder is ${wanted}; remove one ` +
        'of them, or name the same folder in both',
    );
  }
  return { ...folders, validation: wanted };
}

/** The usual splits with one for validation, from the folder that is wanted. */
async function withWanted(
  root: string,
  splits: ListedSplits,
  labels: LabelSource,
  wanted: string | undefined,
): Promise<ListedSplits> {
  if (wanted === undefined) return splits;
  const { train, test, remarks } = splits;
  const nameOf = ({ folder }: ListedSplit): string => relative(root, folder) || '.';
  const folders = {
    train: nameOf(train),
    ...(test === null ? {} : { test: nameOf(test) }),
    validation: wanted,
  };
  return { ...(await namedSplits(root, folders, labels)), remarks };
}

async function namedSplits(root: string, folders: SplitFolders, labels: LabelSource): Promise<ListedSplits> {
  const list = async (name: string): Promise<ListedSplit> => {
    const path = join(root, name);
    if (!(await isFolder(path))) {
      throw new UsageError(
        `image-folder: there is no folder ${name} in ${root}; correct data.splits, data.validation or data.path`,
      );
    }
    return listSplit(path, labels);
  };
  await checkApart(root, folders);
  const train = await list(folders.train);
  const test = folders.test === undefined ? null : await list(folders.test);
  const validation = folders.validation === undefined ? null : await list(folders.validation);
  for (const [key, split] of [
    ['test', test],
    ['validation', validation],
  ] as const) {
    if (split !== null && split.labelled !== train.labelled) {
      const [with_, without] = train.labelled ? [train, split] : [split, train];
      throw new UsageError(
        `image-folder: ${with_.folder} has class folders and ${without.folder} has none; sort the images of both in the ` +
          `same way, set data.labels: none, or name no folder for ${key}`,
      );
    }
  }
  return { train, test, validation, remarks: [] };
}

/** @throws UsageError if one split is the folder of another or inside it: images would be in both. */
async function checkApart(root: string, folders: SplitFolders): Promise<void> {
  const places: { key: keyof SplitFolders; path: string }[] = [];
  for (const key of ['train', 'test', 'validation'] as const) {
    const name = folders[key];
    if (name === undefined) continue;
    const path = await realpath(join(root, name)).catch(() => null);
    if (path !== null) places.push({ key, path });
  }
  for (const outer of places) {
    const inner = places.find(({ key, path }) => key !== outer.key && isWithin(path, outer.path));
    if (inner) {
      throw new UsageError(
        `image-folder: the ${inner.key} folder ${folders[inner.key]!} is in the ${outer.key} folder ` +
          `${folders[outer.key]!}, so that its images would be in both splits; name separate folders`,
      );
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}

/** The splits with the usual names; a folder that is wanted for validation is not the test set. */
async function usualSplits(root: string, labels: LabelSource, wanted: string | undefined): Promise<ListedSplits> {
  const present: string[] = [];
  for (const name of TEST_NAMES) {
    if ((wanted === undefined || join(wanted) !== name) && (await isFolder(join(root, name)))) present.push(name);
  }
  if (!(await isFolder(join(root, 'train')))) {
    const [first] = present;
    if (first !== undefined) {
      throw new UsageError(
        `image-folder: there is no train/ in ${root}, but there is ${first}/; name the folders of the splits with ` +
          `data.splits, such as { train: ${first} } (${LAYOUT})`,
      );
    }
    const train = await listSplit(root, labels);
    return { train, test: null, validation: null, remarks: [`no train/: all images of ${root} are training images`] };
  }
  const train = await listSplit(join(root, 'train'), labels);
  const remarks: string[] = [];
  let test: ListedSplit | null = null;
  for (const name of present) {
    const path = join(root, name);
    if (test !== null) {
      remarks.push(`${name}/ is not used: ${relative(root, test.folder)}/ is the test set (data.splits names another)`);
    } else if (labels === 'none' || (await hasFolders(path)) === train.labelled) {
      test = await listSplit(path, labels);
      if (name !== 'test') remarks.push(`${name}/ is the test set`);
    } else {
      remarks.push(
        `${name}/ is not used: it has ${train.labelled ? 'no class folders' : 'class folders, train/ has none'}`,
      );
    }
  }
  return { train, test, validation: null, remarks };
}

function checkSameClasses(train: ListedSplit, other: ListedSplit | null): void {
  if (other === null) return;
  const lacking = (from: ListedSplit, others: ListedSplit): string[] => {
    const names = new Set(others.classes.map(({ name }) => name));
    return from.classes.map(({ name }) => name).filter((name) => !names.has(name));
  };
  const text = [[train.folder, lacking(other, train)] as const, [other.folder, lacking(train, other)] as const]
    .filter(([, names]) => names.length > 0)
    .map(([folder, names]) => `${folder} lacks ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' and more' : ''}`);
  if (text.length > 0) {
    throw new UsageError(
      `image-folder: all splits must have the same class folders, but ${text.join('; ')}; sort the images into folders ` +
        'named as in the other split, or leave the split out with data.splits',
    );
  }
}
