/**
 * Writing files so that a reader, or a crash, never meets half of one, and reading those of JSON back, checked. How
 * files are opened is in `open.ts`.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { CAREFULLY, DamagedFileError, linkAbove, MEBIBYTE, openBytes, type Stored } from './open.js';

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
 * @throws UnwritableError if this user may not do so; other errors are thrown unchanged.
 */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw writingError(path, error);
  }
}

function writingError(path: string, error: unknown): unknown {
  return UNWRITABLE.has(errorCode(error)) ? new UnwritableError(`cannot write ${path}: ${messageOf(error)}`) : error;
}

/** A new file beside a path, which takes its place with `commit`. `close` ends it in any case. */
function openReplacement(path: string): { file: number; commit(): void; close(): void } {
  refuseLinks(path);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = writing(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(temporary, { recursive: true, force: true }); // left by an earlier process with the same id
    return openSync(temporary, 'wx');
  });
  return {
    file,
    commit: () => {
      fsyncSync(file);
      try {
        renameSync(temporary, path);
      } catch (error) {
        if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) {
          throw writingError(path, error);
        }
        throw new DamagedFileError(path, 'is a folder', 'remove it, since a file belongs there');
      }
    },
    close: () => {
      closeSync(file);
      rmSync(temporary, { force: true });
    },
  };
}

/** @throws DamagedFileError if a link would lead the written file out of the results folder. */
function refuseLinks(path: string): void {
  const link = linkAbove(path);
  if (link !== undefined) throw new DamagedFileError(link, 'is a link', 'remove it: results stay in their folder');
}

function chunks(parts: string | Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  if (typeof parts === 'string') return [Buffer.from(parts)];
  return parts instanceof Uint8Array ? [parts] : parts;
}

/** Writes all the bytes at the position of the file: one call of `writeSync` may write fewer. */
export function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}

/** Indented JSON with a newline at its end, written atomically. */
export function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Opens a file to write at its end, and creates it if it is missing. A link, a pipe or anything else that is no regular
 * file is removed first: writing must neither leave the folder nor wait.
 */
export function openToAppend(path: string): number {
  refuseLinks(path);
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) rmSync(path);
  return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | CAREFULLY, 0o666);
}

/** Appends a text to a file; see {@link openToAppend}. */
export function appendText(path: string, text: string): void {
  const file = openToAppend(path);
  try {
    writeWhole(file, Buffer.from(text));
  } finally {
    closeSync(file);
  }
}

/** Appends one line of JSON. */
export function appendJsonLine(path: string, value: unknown): void {
  appendText(path, `${JSON.stringify(value)}\n`);
}

/** The size limit of the files of a kind. Schemas register it; others have {@link MOST_BYTES}. */
export const FILE_KINDS = z.registry<{ mostBytes: number }>();
const MOST_BYTES = 16 * MEBIBYTE;
/** JSON nested deeper than this would overflow the stack of code that walks it. vitmim's own has some ten levels. */
const DEEPEST = 64;

/** Opens a JSON file and checks it against its schema, the size that the schema has registered, and a depth. */
export function openJson<T>(path: string, schema: z.ZodType<T>): Stored<T> {
  const bytes = openBytes(path, FILE_KINDS.get(schema)?.mostBytes ?? MOST_BYTES);
  if (bytes.kind !== 'present') return bytes;
  let json: unknown;
  try {
    json = JSON.parse(bytes.value.toString('utf8'));
  } catch {
    return { kind: 'damaged', problem: 'is damaged: it is not JSON, or is cut short' };
  }
  if (isDeeperThan(DEEPEST, json)) return { kind: 'damaged', problem: 'is damaged: it is nested too deeply' };
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: 'present', value: parsed.data };
  return { kind: 'damaged', problem: `is damaged, or of another version of vitmim: ${firstIssue(parsed.error)}` };
}

/** Level by level: recursion would overflow the stack that it is to protect. */
function isDeeperThan(levels: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? (Object.values(item) as unknown[]) : [],
    );
  }
  return false;
}

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return 'it has another form';
  const place = issue.path.map(String).join('.').slice(0, 100);
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}

/**
 * Reads a JSON file of a results folder; {@link openJson} for callers that cannot continue without it.
 *
 * @param remedy What to do about a damaged file, as a clause.
 * @returns undefined if there is no such file.
 * @throws DamagedFileError if the file cannot be used.
 */
export function readJson<T>(path: string, schema: z.ZodType<T>, remedy?: string): T | undefined {
  const stored = openJson(path, schema);
  if (stored.kind === 'damaged') throw new DamagedFileError(path, stored.problem, remedy);
  return stored.kind === 'present' ? stored.value : undefined;
}

/** Of a file with a line for each reading: a day of training writes less. */
const MOST_LINE_BYTES = 256 * MEBIBYTE;

/**
 * The lines of a JSON Lines file that fit a schema (all); none if the file is missing or damaged. A line that a crash
 * cut short is left out, together with the text that a later attempt appended to it.
 */
export function readJsonLines(path: string): unknown[];
export function readJsonLines<T>(path: string, schema: z.ZodType<T>): T[];
export function readJsonLines(path: string, schema: z.ZodType = z.unknown()): unknown[] {
  const bytes = openBytes(path, MOST_LINE_BYTES);
  if (bytes.kind !== 'present') return [];
  const text = bytes.value.toString('utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line): unknown[] => {
    const value = parseLine(line, schema);
    return value === undefined ? [] : [value];
  });
}

/** One line of such a file; undefined if it does not fit. */
export function parseLine<T>(line: string, schema: z.ZodType<T>): T | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  return schema.safeParse(json).data;
}
