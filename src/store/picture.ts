/** Pictures in a results folder: PNG files that a page may embed. */
import { MEBIBYTE, openBytes } from './open.js';

const MOST_BYTES = 16 * MEBIBYTE;
/** Of a side, in pixels. A browser decodes what a page embeds, and a small file can stand for gigabytes. */
const MOST_PIXELS = 16_384;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Signature, then the first chunk: its length (13), its type, width and height. */
function isPng(bytes: Buffer): boolean {
  if (bytes.length < 33 || !bytes.subarray(0, 8).equals(SIGNATURE)) return false;
  if (bytes.readUInt32BE(8) !== 13 || bytes.toString('latin1', 12, 16) !== 'IHDR') return false;
  return [16, 20].every((at) => bytes.readUInt32BE(at) >= 1 && bytes.readUInt32BE(at) <= MOST_PIXELS);
}

/** The bytes of a PNG file; null if there is none, or something else in its place. */
export function readPng(path: string): Buffer | null {
  const stored = openBytes(path, MOST_BYTES);
  return stored.kind === 'present' && isPng(stored.value) ? stored.value : null;
}
