/** Writing files so that a reader, or a crash, never meets half of one. */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { errorCode, messageOf, UsageError } from '../common/errors.js';

/** Writes the content beside the target, flushes it to disk, then renames it over the target. Makes parent folders. */
export function writeFileAtomic(path: string, parts: string | Uint8Array | readonly Uint8Array[]): void {
  const replacement = openReplacement(path);
  try {
    for (const part of chunks(parts)) writeWhole(replacement.file, part);
    replacement.commit();
  } finally {
    replacement.close();
  }
}

/**
 * {@link writeFileAtomic} for content that is not at hand.
 *
 * @param write Writes the content to the file, from its beginning.
 */
export async function writeFileAtomicBy(path: string, write: (file: number) => Promise<void>): Promise<void> {
  const replacement = openReplacement(path);
  try {
    await write(replacement.file);
    replacement.commit();
  } finally {
    replacement.close();
  }
}

/** A file or folder that this user may not write, or that lies on a read-only file system. */
export class UnwritableError extends UsageError {
  override readonly name = 'UnwritableError';
}

const UNWRITABLE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR']);

/**
 * Does what changes a file or a folder.
 *
 * @throws UnwritableError where this user may not; what else goes wrong is thrown on as it is.
 */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!UNWRITABLE.has(errorCode(error))) throw error;
    throw new UnwritableError(`cannot write ${path}: ${messageOf(error)}`);
  }
}

/** A new file beside a path, which takes its place with `commit`. `close` ends it in any case. */
function openReplacement(path: string): { file: number; commit(): void; close(): void } {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = writing(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(temporary, 'w');
  });
  return {
    file,
    commit: () => {
      fsyncSync(file);
      writing(path, () => {
        renameSync(temporary, path);
      });
    },
    close: () => {
      closeSync(file);
      rmSync(temporary, { force: true });
    },
  };
}

function chunks(parts: string | Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  if (typeof parts === 'string') return [Buffer.from(parts)];
  return parts instanceof Uint8Array ? [parts] : parts;
}

/** Writes all the bytes where the file stands: one call may write less than it was given. */
export function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}

/** Indented JSON with a newline at its end, written atomically. */
export function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Appends one line of JSON. */
export function appendJsonLine(path: string, value: unknown): void {
  appendFileSync(path, `${JSON.stringify(value)}\n`);
}

/**
 * Reads a JSON file that vitmim wrote.
 *
 * @returns undefined where there is no such file.
 * @throws UsageError where it cannot be read or is not what the schema says.
 */
export function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  if (!existsSync(path)) return undefined; // cheaper than an error: of a large sweep, most files may be missing
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new UsageError(`cannot read ${path}: ${messageOf(error)}`);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`${path} is not a file of this version of vitmim, or is damaged: ${messageOf(error)}`);
  }
}

/** The lines of a JSON Lines file. One that a crash cut short is left out, with what a later attempt appended to it. */
export function readJsonLines(path: string): unknown[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line): unknown[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
