/** One image file, read and decoded: what it holds, or which of the two failed and why. Plain data, as threads pass it on. */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { decodeImage } from './decode.js';

export type ReadImage =
  | { readonly kind: 'image'; readonly image: ByteImage }
  /** The file is gone, or the disk fails. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** The bytes are truncated, or no image. */
  | { readonly kind: 'corrupt'; readonly reason: string };

/** Reads and decodes beside the calling thread: a file may lie behind a slow network. */
export async function readImage(path: string): Promise<ReadImage> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return { kind: 'unreadable', reason: messageOf(error) };
  }
  try {
    return { kind: 'image', image: await decodeImage(bytes) };
  } catch (error) {
    return { kind: 'corrupt', reason: messageOf(error).split('\n', 1)[0]! };
  }
}
