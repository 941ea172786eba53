/** Which folders of an image folder are its splits: those that the spec names, or those with the usual names. */
import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../common/errors.js';
import { hasFolders, isFolder, type Labels, listSplit, type ListedSplit } from './image-files.js';

/** A path below the data set's folder; `.` is that folder itself. */
const folder = z
  .string()
  .min(1)
  .refine((path) => !/^([\\/]|[a-z]:)/i.test(path) && !path.split(/[\\/]/).includes('..'), {
    message: 'expected a folder below data.path',
  });

export const splitsSchema = z
  .strictObject({
    train: folder.describe('Folder of the training images; `.` for data.path itself.'),
    test: folder.optional().describe('Folder of the images that evaluations measure on.'),
    validation: folder.optional().describe('Folder of images that are kept apart: no stage reads them yet.'),
  })
  .describe(
    'Folders of the splits, below data.path. Default: train/, and test/, val/ or validation/ with the same labels.',
  );

export type SplitFolders = z.output<typeof splitsSchema>;

export interface ListedSplits {
  readonly train: ListedSplit;
  readonly test: ListedSplit | null;
  readonly validation: ListedSplit | null;
  /** What was decided where the spec does not say it, a sentence each. */
  readonly remarks: readonly string[];
}

/** Names of the test split where the spec names none, the preferred one first. */
const TEST_NAMES = ['test', 'val', 'validation'] as const;

const LAYOUT =
  'data.path is to contain train/ and test/ (or val/), each with one folder of images per class; data.splits names other ' +
  'folders, and for pre-training alone a folder of images is enough';

/**
 * Lists the splits of a folder.
 *
 * @param folders undefined: those with the usual names.
 * @throws UsageError for folders that are missing, empty or overlap, and for splits whose classes differ.
 */
export async function listSplits(
  root: string,
  folders: SplitFolders | undefined,
  labels: Labels,
): Promise<ListedSplits> {
  const { train, test, validation, remarks } = folders
    ? await namedSplits(root, folders, labels)
    : await usualSplits(root, labels);
  checkSameClasses(train, test);
  checkSameClasses(train, validation);
  return { train, test, validation, remarks };
}

async function namedSplits(root: string, folders: SplitFolders, labels: Labels): Promise<ListedSplits> {
  const list = async (name: string): Promise<ListedSplit> => {
    const path = join(root, name);
    if (!(await isFolder(path))) {
      throw new UsageError(`image-folder: there is no folder ${name} in ${root}. Correct data.splits or data.path.`);
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
        `image-folder: ${with_.folder} has class folders and ${without.folder} has none. Sort the images of both in the ` +
          `same way, set data.labels: none, or leave ${key} out of data.splits.`,
      );
    }
  }
  return { train, test, validation, remarks: [] };
}

/** @throws UsageError where one split is another, or is inside of it: its images would be in both. */
async function checkApart(root: string, folders: SplitFolders): Promise<void> {
  const places: { key: string; path: string }[] = [];
  for (const [key, name] of Object.entries(folders)) {
    if (name === undefined) continue;
    const path = await realpath(join(root, name)).catch(() => null);
    if (path !== null) places.push({ key, path });
  }
  for (const outer of places) {
    const inner = places.find(({ key, path }) => key !== outer.key && isWithin(path, outer.path));
    if (inner) {
      throw new UsageError(
        `image-folder: data.splits.${inner.key} is in the folder of data.splits.${outer.key}, so that its images would be ` +
          'in both splits. Name separate folders.',
      );
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}

async function usualSplits(root: string, labels: Labels): Promise<ListedSplits> {
  const present: string[] = [];
  for (const name of TEST_NAMES) if (await isFolder(join(root, name))) present.push(name);
  if (!(await isFolder(join(root, 'train')))) {
    const [first] = present;
    if (first !== undefined) {
      throw new UsageError(
        `image-folder: there is no train/ in ${root}, but there is ${first}/. Name the folders of the splits with ` +
          `data.splits, such as { train: ${first} }; ${LAYOUT}.`,
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
      `image-folder: all splits must have the same class folders, but ${text.join('; ')}. Sort the images into folders ` +
        'named as in the other split, or leave the split out with data.splits.',
    );
  }
}
