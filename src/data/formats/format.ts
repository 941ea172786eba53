/** What an image format declares: how its files are recognised by their content, and how they are decoded. */
import type { ByteImage } from '../../common/image.js';

/** How files become pixels: `data.decode`. */
export const DECODE_MODES = ['torchvision', 'colour-managed'] as const;

export type DecodeMode = (typeof DECODE_MODES)[number];

/** What stops the decoder: an error, or already a warning. */
export type Strictness = 'error' | 'warning';

/**
 * Decodes a file to 8-bit RGB.
 *
 * @throws Error for bytes that are truncated or malformed, and for more than {@link MOST_PIXELS} pixels.
 */
export type Decode = (bytes: Uint8Array, strictness: Strictness) => Promise<ByteImage>;

export interface ImageFormat {
  /** In a sentence: `JPEG`. */
  readonly title: string;
  /** Of the names of its files: lower case, without the dot. */
  readonly extensions: readonly string[];
  /** Whether bytes begin like a file of this format. */
  readonly matches: (bytes: Uint8Array) => boolean;
  /** `torchvision` decodes to the bits of Pillow's `convert('RGB')`. */
  readonly decode: Readonly<Record<DecodeMode, Decode>>;
}

/** The pixels beyond which Pillow, and therefore torchvision, refuses an image as a decompression bomb. */
export const MOST_PIXELS = 2 * Math.floor(1024 ** 3 / 4 / 3);

/** @throws Error for an empty image and for one of more than {@link MOST_PIXELS} pixels. */
export function checkSize(height: number, width: number): void {
  if (!(height > 0 && width > 0)) throw new Error(`its header gives ${width} × ${height} pixels`);
  if (height * width > MOST_PIXELS) {
    throw new Error(`its header gives ${width} × ${height} pixels; at most ${MOST_PIXELS} are decoded`);
  }
}

/** Whether bytes have this text (of ASCII) at an offset. */
export function hasText(bytes: Uint8Array, text: string, offset = 0): boolean {
  if (bytes.length < offset + text.length) return false;
  return Array.from(text).every((letter, i) => bytes[offset + i] === letter.charCodeAt(0));
}

/** Reads multi-byte numbers of a file. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
