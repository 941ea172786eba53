/**
 * Gets the data sets that may be downloaded freely: the official archive, checked and unpacked, in one step that either
 * is complete or leaves nothing but a download to resume.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, UsageError } from '../common/errors.js';
import { download, type DownloadOptions, storageError } from './download.js';
import type { Archive } from './entry.js';
import { dataHome } from './home.js';
import { DATASETS } from './registry.js';

const ARCHIVES: ReadonlyMap<string, Archive> = new Map(
  Object.entries(DATASETS).flatMap(([name, entry]) => ('archive' in entry ? [[name, entry.archive]] : [])),
);

export type { Archive };

/** The data sets that can be fetched. */
export const FETCHABLE: readonly string[] = [...ARCHIVES.keys()];

/** What happens while a data set is fetched. Sizes are in bytes; `total` is null if the server does not send it. */
export type FetchEvent =
  | { readonly kind: 'present'; readonly folder: string }
  | { readonly kind: 'received'; readonly received: number; readonly total: number | null }
  | { readonly kind: 'retry'; readonly reason: string; readonly milliseconds: number }
  | { readonly kind: 'unpacking'; readonly folder: string };

export interface FetchOptions extends Pick<DownloadOptions, 'pauses' | 'idleTimeout' | 'lowestRate'> {
  /** The parent of the data set's folder; {@link dataHome} by default. */
  readonly destination?: string;
  readonly onProgress?: (event: FetchEvent) => void;
}

/**
 * Makes a data set available below `destination`, downloading it unless it is there complete.
 *
 * @returns its folder
 * @throws UsageError for an unknown name, and for everything that can go wrong on the way.
 */
export async function fetchDataset(name: string, options: FetchOptions = {}): Promise<string> {
  const archive = ARCHIVES.get(name);
  if (archive === undefined) {
    throw new UsageError(
      `'${name}' cannot be fetched; ${FETCHABLE.join(' and ')} can; ` +
        'shapes is built in and needs no files, and idx and image-folder read files of your own',
    );
  }
  return fetchArchive(archive, options);
}

/** {@link fetchDataset} for any archive. */
export async function fetchArchive(archive: Archive, options: FetchOptions = {}): Promise<string> {
  const { destination = dataHome(), onProgress, ...transfer } = options;
  const folder = resolve(destination, archive.folder);
  if (await archive.isComplete(folder)) {
    onProgress?.({ kind: 'present', folder });
    return folder;
  }
  try {
    await mkdir(destination, { recursive: true });
    const part = resolve(destination, `${basename(new URL(archive.url).pathname)}.part`);
    await download(archive.url, archive.md5, part, {
      ...transfer,
      mostBytes: archive.mostBytes,
      onReceived: (received, total) => onProgress?.({ kind: 'received', received, total }),
      onRetry: (reason, milliseconds) => onProgress?.({ kind: 'retry', reason, milliseconds }),
    });
    onProgress?.({ kind: 'unpacking', folder });
    await unpack(archive, part, folder);
    await rm(part);
    return folder;
  } catch (error) {
    throw storageError(error, resolve(destination)) ?? error;
  }
}

/**
 * Unpacks beside the folder and renames, so that the folder is there whole or not at all. The system's own `tar` does
 * it: every system that Node runs on has one, and the archive's checksum has been verified.
 */
async function unpack(archive: Archive, file: string, folder: string): Promise<void> {
  const beside = await mkdtemp(join(folder, '..', '.unpack-'));
  try {
    await promisify(execFile)('tar', ['-xzf', file, '-C', beside]).catch((error: unknown) => {
      throw new UsageError(
        `${file} cannot be unpacked: ${messageOf(error).trim()}; ` +
          'look whether `tar` is installed and the disk has room, and run the same command again',
      );
    });
    const unpacked = join(beside, archive.folder);
    if (!(await archive.isComplete(unpacked))) {
      throw new UsageError(`${file} does not hold a complete ${archive.folder}; remove it and try again`);
    }
    await moveInto(unpacked, folder);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** One rename; into a folder that exists, incomplete, file by file, so that nothing else in it is lost. */
async function moveInto(unpacked: string, folder: string): Promise<void> {
  if (existsSync(folder)) {
    for (const file of await readdir(unpacked)) await rename(join(unpacked, file), join(folder, file));
  } else {
    await rename(unpacked, folder);
  }
}
