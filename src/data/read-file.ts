/** Reads regular files, and nothing else: to open a pipe or to read a device may never return. */
import { close, constants, fstat, open, read } from 'node:fs';
import { NO_WAIT } from '../common/open-flags.js';
import { stepTimer } from './answered.js';

/** Bytes that are requested at once, each within the time limit of a step. */
const CHUNK = 2 ** 24;

export interface ReadOptions {
  /** As in {@link answered}. */
  readonly seconds?: number;
  /** Larger files (in bytes) are refused. By default 1 GiB: the largest image that is decoded has half of it in pixels. */
  readonly most?: number;
}

/**
 * Reads a whole file. With callbacks, since promises of file handles take 0.1 ms more of the thread for each file.
 *
 * @throws Error for anything but a regular file of the allowed size; NoAnswer; what opening and reading throws.
 */
export function readRegularFile(path: string, { seconds, most = 2 ** 30 }: ReadOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const timer = stepTimer(path, reject, seconds);
    open(path, constants.O_RDONLY | NO_WAIT, (error, file) => {
      if (error) {
        timer.end();
        reject(error);
        return;
      }
      const end = (error: Error | null, bytes?: Buffer): void => {
        timer.end();
        close(file, () => undefined);
        if (error) reject(error);
        else resolve(bytes!);
      };
      timer.answered();
      fstat(file, (error, entry) => {
        if (error) end(error);
        else if (!entry.isFile()) end(new Error('it is not a regular file'));
        else if (entry.size > most) end(new Error(`it has ${entry.size} bytes; at most ${most} are read`));
        else readBytes(file, Buffer.allocUnsafeSlow(entry.size), timer.answered, end);
      });
    });
  });
}

/** Fills the bytes from the beginning of a file, which may have become shorter. */
function readBytes(
  file: number,
  bytes: Buffer,
  onStep: () => void,
  end: (error: Error | null, bytes?: Buffer) => void,
): void {
  const next = (length: number): void => {
    onStep();
    if (length === bytes.length) {
      end(null, bytes);
      return;
    }
    read(file, bytes, length, Math.min(CHUNK, bytes.length - length), length, (error, count) => {
      if (error) end(error);
      else if (count === 0) end(null, bytes.subarray(0, length));
      else next(length + count);
    });
  };
  next(0);
}
