/** Lists the image files of a split. Reads names, sizes and times, never content. */
import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { answered, explained } from './answered.js';
import { IMAGE_KINDS, IMAGE_NAME } from './formats/index.js';
import { Ignored } from './ignored.js';
import { mapInParallel } from './map-in-parallel.js';

export interface ImageFile {
  /** Relative to the class folder, with `/` between the parts. */
  readonly name: string;
  /** Size, times and inode, see `content-hashes.ts`. */
  readonly stamp: string;
  /** The last change of content or inode, in milliseconds since 1970. */
  readonly changedAt: number;
  /** Why it cannot be decoded, if this is known without reading it. */
  readonly broken?: 'a link that leads nowhere' | 'an empty file';
}

export interface ClassFolder {
  /** Empty: the images have no classes, and are in the folder of the split. */
  readonly name: string;
  /** In code-point order of their names; never empty. */
  readonly files: readonly ImageFile[];
}

/** The images of a split. */
export interface ListedSplit {
  readonly folder: string;
  /** Whether images are in class folders. Otherwise there is one class without a name. */
  readonly labelled: boolean;
  /** In code-point order of their names; never empty. */
  readonly classes: readonly ClassFolder[];
  readonly ignored: Ignored;
}

/** The source of the classes of images: `data.labels`. */
export const LABELS = ['folders', 'none'] as const;
export type LabelSource = (typeof LABELS)[number];

export async function isFolder(path: string): Promise<boolean> {
  const entry = await answered(
    stat(path).catch(() => undefined),
    path,
  );
  return entry?.isDirectory() === true;
}

/** Whether a folder has folders in it that are not hidden. */
export async function hasFolders(folder: string): Promise<boolean> {
  for (const entry of await entriesOf(folder)) {
    if (!isHidden(entry) && (await leadsToFolder(folder, entry))) return true;
  }
  return false;
}

/**
 * Lists a split. Links to folders and files are followed. If no folder in it has images, or `labels` is `none`, its
 * images have no classes.
 *
 * @throws UsageError for a split without images and a class without images.
 */
export async function listSplit(folder: string, labels: LabelSource): Promise<ListedSplit> {
  const ignored = new Ignored(folder);
  const entries = await entriesOf(folder);
  const folders = new Set<string>();
  for (const entry of entries) {
    if (!isHidden(entry) && (await leadsToFolder(folder, entry))) folders.add(entry.name);
  }
  const loose = await listFiles(
    folder,
    '',
    entries.filter(({ name }) => !folders.has(name)),
    ignored,
  );
  const listed: { name: string; files: ImageFile[]; ignored: Ignored }[] = [];
  for (const name of [...folders].sort()) {
    const within = new Ignored(folder);
    listed.push({ name, files: await listImages(join(folder, name), `${name}/`, within), ignored: within });
    ignored.addAll(within);
  }
  if (labels === 'none' || listed.every(({ files }) => files.length === 0)) {
    const inFolders = listed.map(({ name, files }) => files.map((file) => ({ ...file, name: `${name}/${file.name}` })));
    const files = [...loose, ...inFolders.flat()];
    if (files.length === 0)
      throw new UsageError(
        `image-folder: ${folder} holds no images${detail(ignored)}; fill it, or correct data.path or data.splits`,
      );
    return { folder, labelled: false, classes: [{ name: '', files: sorted(files) }], ignored };
  }
  for (const { name } of loose) ignored.add('image beside the class folders', name);
  return { folder, labelled: true, classes: listed.map((each) => classOf(folder, each)), ignored };
}

function classOf(
  split: string,
  { name, files, ignored }: { name: string; files: ImageFile[]; ignored: Ignored },
): ClassFolder {
  if (files.length > 0) return { name, files: sorted(files) };
  throw new UsageError(
    `image-folder: class folder ${join(split, name)} holds no images${detail(ignored)}; fill it, or remove it from all ` +
      'splits',
  );
}

function detail(ignored: Ignored): string {
  const found = ignored.describe();
  return ` (${IMAGE_KINDS} are read${found === null ? '' : `; ignored: ${found}`})`;
}

function sorted(files: readonly ImageFile[]): ImageFile[] {
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hidden entries are other programs' notes, such as a file manager's. */
function isHidden({ name }: Dirent): boolean {
  return name.startsWith('.');
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await answered(readdir(folder, { withFileTypes: true }), folder);
  } catch (error) {
    throw explained(error, `image-folder: cannot list ${folder} (${messageOf(error)}).`);
  }
}

/**
 * A link with the name of an image is none to a folder: a split may have a million such links, each a step to follow.
 */
async function leadsToFolder(parent: string, entry: Dirent): Promise<boolean> {
  if (entry.isDirectory()) return true;
  return entry.isSymbolicLink() && !IMAGE_NAME.test(entry.name) && (await isFolder(join(parent, entry.name)));
}

/**
 * The images of a folder and of the folders in it.
 *
 * @param place The folder's path from the split, ending in `/`.
 */
async function listImages(folder: string, place: string, ignored: Ignored, prefix = ''): Promise<ImageFile[]> {
  const entries = await entriesOf(folder);
  const isListed = (entry: Dirent): boolean => entry.isDirectory() && !isHidden(entry);
  const others = entries.filter((entry) => !isListed(entry));
  const lists = [await listFiles(folder, place, others, ignored, prefix)];
  for (const { name } of entries.filter(isListed)) {
    lists.push(await listImages(join(folder, name), `${place}${name}/`, ignored, `${prefix}${name}/`));
  }
  return lists.flat();
}

/** The images among the entries of a folder, none of which is a folder that is listed. */
async function listFiles(
  folder: string,
  place: string,
  entries: readonly Dirent[],
  ignored: Ignored,
  prefix = '',
): Promise<ImageFile[]> {
  const images: Dirent[] = [];
  for (const entry of entries) {
    if (isHidden(entry)) ignored.add('hidden', place + entry.name);
    else if (IMAGE_NAME.test(entry.name)) images.push(entry);
    else ignored.add(extensionOf(entry.name), place + entry.name);
  }
  const files = await mapInParallel(images, 32, async (entry): Promise<ImageFile | null> => {
    const found = await statOf(join(folder, entry.name), entry);
    if (found === null)
      return { name: prefix + entry.name, stamp: '-', changedAt: 0, broken: 'a link that leads nowhere' };
    if (found.isFile()) return fileOf(prefix + entry.name, found);
    // Links between folders of a class are not followed: they could lead in a circle.
    ignored.add(found.isDirectory() ? 'link to a folder' : 'pipe, socket or device', place + entry.name);
    return null;
  });
  return files.filter((file) => file !== null);
}

function extensionOf(name: string): string {
  const extension = extname(name).toLowerCase();
  return extension === '' ? 'file without extension' : extension;
}

/** Values that differ if a file has changed, and the time of its last change. */
export function stampOf({ size, mtimeNs, ctimeNs, ino, mtimeMs, ctimeMs }: BigIntStats) {
  const stamp = [size, mtimeNs, ctimeNs, ino].join('.');
  return { stamp, changedAt: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) };
}

function fileOf(name: string, found: BigIntStats): ImageFile {
  return { name, ...stampOf(found), ...(found.size === 0n ? { broken: 'an empty file' } : {}) };
}

/** null: a link that leads nowhere. */
async function statOf(path: string, entry: Dirent): Promise<BigIntStats | null> {
  try {
    return await answered(stat(path, { bigint: true }), path);
  } catch (error) {
    if (entry.isSymbolicLink() && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? '')) return null;
    throw explained(error, `image-folder: cannot read ${path} (${messageOf(error)}).`);
  }
}
