/** Reads regular files, and nothing else: to open a pipe or to read a device may never return. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { answered } from './answered.js';

/** Bytes that are asked for at once, each within the time limit of a step. */
const CHUNK = 2 ** 24;

export interface ReadOptions {
  /** As in {@link answered}. */
  readonly seconds?: number;
  /** Larger files (in bytes) are refused. By default 1 GiB: the largest image that is decoded has half of it in pixels. */
  readonly most?: number;
}

/** On Windows there is no such flag, and no pipes in folders. */
const { O_NONBLOCK: NO_WAIT = 0 } = constants as Partial<typeof constants>;

/**
 * Reads a whole file.
 *
 * @throws Error for anything but a regular file of the allowed size; NoAnswer; what opening and reading throws.
 */
export async function readRegularFile(path: string, { seconds, most = 2 ** 30 }: ReadOptions = {}): Promise<Buffer> {
  // Without waiting: to open a pipe for reading waits for a writer.
  const handle = await answered(open(path, constants.O_RDONLY | NO_WAIT), path, seconds);
  try {
    const entry = await answered(handle.stat(), path, seconds);
    if (!entry.isFile()) throw new Error('it is not a regular file');
    if (entry.size > most) throw new Error(`it has ${entry.size} bytes; at most ${most} are read`);
    return await readBytes(handle, entry.size, path, seconds);
  } finally {
    // Not waited for: where a read hangs, so does this.
    handle.close().catch(() => undefined);
  }
}

async function readBytes(
  handle: FileHandle,
  count: number,
  path: string,
  seconds: number | undefined,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(count);
  let length = 0;
  while (length < bytes.length) {
    const size = Math.min(CHUNK, bytes.length - length);
    const { bytesRead } = await answered(handle.read(bytes, length, size), path, seconds);
    if (bytesRead === 0) break; // it became shorter
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
