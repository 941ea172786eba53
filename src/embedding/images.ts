/** The images of which features are computed: files, and folders of files. */
import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { isFolder, listSplit } from '../data/image-files.js';

/** An image to read. */
export interface ListedImage {
  /** With `/` between its parts. */
  readonly name: string;
  readonly path: string;
  /** Why it cannot be decoded, if this is known without reading it. */
  readonly broken?: string | undefined;
}

/**
 * Lists images in the order in which they are given; those of a folder, and of the folders in it, by their names.
 * Hidden files and files of other formats do not count in a folder. An image of a single folder is named by its path in
 * it; all others by the path that was given.
 *
 * @throws UsageError for what is neither a file nor a folder, and for a folder without images.
 */
export async function listImages(given: readonly string[]): Promise<ListedImage[]> {
  const listed: ListedImage[] = [];
  for (const path of given) {
    if (!(await isFolder(path))) {
      await mustBeFile(path);
      listed.push({ name: slashed(path), path });
      continue;
    }
    const { classes } = await listSplit(path, 'none');
    for (const { name, broken } of classes.flatMap(({ files }) => files)) {
      const full = join(path, name);
      listed.push({ name: given.length === 1 ? name : slashed(full), path: full, broken });
    }
  }
  return listed;
}

const slashed = (path: string): string => path.split(sep).join('/');

async function mustBeFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT';
    throw new UsageError(
      missing ? `there is no image ${path}; correct the path` : `cannot read ${path}: ${messageOf(error)}`,
    );
  }
  throw new UsageError(`${path} is neither a file nor a folder; name images, or a folder of images`);
}
