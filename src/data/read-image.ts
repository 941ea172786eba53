/** One image file, read and decoded: what it holds, or which of the two failed and why. Plain data, as threads pass it on. */
import { messageOf } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { NoAnswer } from './answered.js';
import { decodeImage, firstLine } from './decode.js';
import type { DecodeMode } from './formats/format.js';
import { DecodingTimeout } from './formats/libvips.js';
import { readRegularFile } from './read-file.js';

export type ReadImage =
  /** With what the decoder warned of; null: nothing. */
  | { readonly kind: 'image'; readonly image: ByteImage; readonly damage: string | null }
  /** The file is gone, or the disk fails. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** The file system does not answer, or decoding takes too long. */
  | { readonly kind: 'timed-out'; readonly reason: string }
  /** The bytes are truncated, or no image. */
  | { readonly kind: 'corrupt'; readonly reason: string };

/** Reads and decodes beside the calling thread: a file may lie behind a slow network. */
export async function readImage(path: string, mode: DecodeMode = 'torchvision'): Promise<ReadImage> {
  let bytes: Uint8Array;
  try {
    bytes = await readRegularFile(path);
  } catch (error) {
    return { kind: error instanceof NoAnswer ? 'timed-out' : 'unreadable', reason: messageOf(error) };
  }
  try {
    return { kind: 'image', ...(await decodeImage(bytes, mode)) };
  } catch (error) {
    if (error instanceof DecodingTimeout) return { kind: 'timed-out', reason: `${path}: ${error.message}` };
    return { kind: 'corrupt', reason: firstLine(messageOf(error)) };
  }
}
