/** Lists the image files of a split, one folder a class. Reads names, sizes and times, never content. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UsageError } from '../common/errors.js';
import { IMAGE_KINDS, IMAGE_NAME } from './image-names.js';
import { mapInParallel } from './map-in-parallel.js';

export interface ImageFile {
  /** Relative to the class folder, with `/` between the parts. */
  readonly name: string;
  /** Size, times and inode, see `content-hashes.ts`. */
  readonly stamp: string;
  /** The last change of content or inode, in milliseconds since 1970. */
  readonly changedAt: number;
}

export interface ClassFolder {
  readonly name: string;
  /** In code-point order of their names; never empty. */
  readonly files: readonly ImageFile[];
}

export async function isFolder(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  return entry?.isDirectory() === true;
}

/**
 * The class folders of a split in code-point order of their names. Links to folders and files are followed.
 *
 * @throws UsageError for a split without classes and a class without images.
 */
export async function listClasses(split: string): Promise<ClassFolder[]> {
  const names: string[] = [];
  for (const entry of await visible(split)) {
    if (await leadsToFolder(split, entry)) names.push(entry.name);
  }
  if (names.length === 0)
    throw new UsageError(`image-folder: ${split} holds no class folders. Images belong in one folder a class.`);

  const classes: ClassFolder[] = [];
  for (const name of names.sort()) {
    const folder = join(split, name);
    const files = await listImages(folder, '');
    if (files.length === 0) {
      throw new UsageError(
        `image-folder: class folder ${folder} holds no images (${IMAGE_KINDS} are read). Fill it, or remove it from ` +
          'both splits.',
      );
    }
    classes.push({ name, files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) });
  }
  return classes;
}

/** Hidden entries are other programs' notes, such as a file manager's. */
async function visible(folder: string): Promise<Dirent[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  } catch (error) {
    throw new UsageError(`image-folder: cannot list ${folder} (${messageOf(error)}).`);
  }
}

async function leadsToFolder(parent: string, entry: Dirent): Promise<boolean> {
  return entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(parent, entry.name))));
}

/** `prefix` is the path from the class folder, ending in `/` unless empty. */
async function listImages(folder: string, prefix: string): Promise<ImageFile[]> {
  const entries = await visible(folder);
  const images = entries.filter((entry) => IMAGE_NAME.test(entry.name) && !entry.isDirectory());
  const files = await mapInParallel(images, 32, async ({ name }): Promise<ImageFile> => {
    const entry = await stat(join(folder, name), { bigint: true }).catch((error: unknown) => {
      throw new UsageError(`image-folder: cannot read ${join(folder, name)} (${messageOf(error)}).`);
    });
    const { size, mtimeNs, ctimeNs, ino, mtimeMs, ctimeMs } = entry;
    const stamp = [size, mtimeNs, ctimeNs, ino].join('.');
    return { name: prefix + name, stamp, changedAt: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) };
  });
  for (const entry of entries) {
    // Links between folders of a class are not followed: they could lead in a circle.
    if (entry.isDirectory()) files.push(...(await listImages(join(folder, entry.name), `${prefix}${entry.name}/`)));
  }
  return files;
}
