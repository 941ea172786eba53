/**
 * The one place that opens files of a results folder. A folder may come from another person, a crash or a bad disk, so
 * its files are input, not truth (docs/security.md). A file is opened only if it is a regular file of a plausible size;
 * a link, a pipe, a socket, a device or a folder in its place is damage. Opening never waits: a pipe has no other end.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { NO_LINK, NO_WAIT } from '../common/open-flags.js';
import { foldersInside } from './layout.js';

/** A file as it was found. A damaged file is treated like a missing one, and is named. */
export type Stored<T> =
  | { kind: 'missing' }
  /** `problem` is a clause about the file: `is cut short`. */
  | { kind: 'damaged'; problem: string }
  | { kind: 'present'; value: T };

/** A file that cannot be used as it is. */
export class DamagedFileError extends UsageError {
  readonly path: string;
  /** A clause about the file. */
  readonly problem: string;

  constructor(path: string, problem: string, remedy?: string) {
    super(`${path} ${problem}${remedy === undefined ? '' : `; ${remedy}`}`);
    this.path = path;
    this.problem = problem;
  }
}

export const MEBIBYTE = 1 << 20;

/** Flags to open a path that may not be a regular file. */
export const CAREFULLY = NO_WAIT | NO_LINK;

/** The entry at a path, without following a link at its end; undefined: none. */
function entryAt(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // ENOTDIR: a file has the name of a folder on the path, so there is nothing below it.
    if (errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * The first folder on the way to a file that is a link although the layout has a real folder there: it leads out of the
 * results folder. The results folder itself is named by the user, and may be a link.
 */
export function linkAbove(path: string): string | undefined {
  return foldersInside(path).find((folder) => entryAt(folder)?.isSymbolicLink() === true);
}

/**
 * Opens a file for reading.
 *
 * @param mostBytes A larger file is damage.
 * @param use Reads the open file; what it throws with the code of a system call is damage too.
 */
export function openStored<T>(path: string, mostBytes: number, use: (file: number, size: number) => T): Stored<T> {
  const damaged = (problem: string): Stored<T> => ({ kind: 'damaged', problem });
  let file: number | undefined;
  try {
    const link = linkAbove(path);
    if (link !== undefined) return damaged(`lies behind a link, ${link}`);
    const entry = entryAt(path);
    if (entry === undefined) return { kind: 'missing' };
    if (!entry.isFile()) return damaged(`is ${entry.isSymbolicLink() ? 'a link' : 'not a regular file'}`);
    file = openSync(path, constants.O_RDONLY | CAREFULLY);
    const opened = fstatSync(file);
    // It may have been replaced since.
    if (!opened.isFile()) return damaged('is not a regular file');
    if (opened.size > mostBytes) return damaged(`is larger than ${mostBytes / MEBIBYTE} MiB`);
    return { kind: 'present', value: use(file, opened.size) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'missing' };
    if (errorCode(error) === 'ELOOP') return damaged('is a link');
    if (errorCode(error) === 'EMFILE' || errorCode(error) === 'ENFILE') throw error; // the file may be in order
    if (error instanceof Error && 'syscall' in error) return damaged(`cannot be read (${messageOf(error)})`);
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The bytes of an open file from a place on: `length`, or as many as there are. */
export function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, bytes, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** The bytes of a file. */
export const openBytes = (path: string, mostBytes: number): Stored<Buffer> =>
  openStored(path, mostBytes, (file, size) => readAt(file, 0, size));

/** The last bytes of a file of any size, as text; empty if there is no file that can be opened. */
export function tailOf(path: string, mostBytes: number): string {
  const tail = openStored(path, Number.MAX_SAFE_INTEGER, (file, size) => {
    const length = Math.min(size, mostBytes);
    return readAt(file, size - length, length).toString('utf8');
  });
  return tail.kind === 'present' ? tail.value : '';
}

/** Whether something is there, even if damaged. Links are not followed. */
export const isThere = (path: string): boolean => entryAt(path) !== undefined;

/** The names in a folder, sorted; none if it is missing, a link, or no folder. */
export function namesIn(folder: string): string[] {
  try {
    if (entryAt(folder)?.isDirectory() !== true) return [];
    return readdirSync(folder).sort();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM', 'EIO'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}
