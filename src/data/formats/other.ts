/** Kinds of files that occur in folders of images and are not read. Messages name them. */
import { hasText } from './format.js';

/** Text that a file has at an offset, and what such a file is, in a sentence. */
const SIGNATURES: readonly (readonly [offset: number, text: string, title: string])[] = [
  [4, 'ftypavif', 'an AVIF image'],
  [4, 'ftypavis', 'an AVIF image'],
  ...['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'].map(
    (brand) => [4, `ftyp${brand}`, 'an HEIF image (a HEIC photo)'] as const,
  ),
  [4, 'ftyp', 'a video (MP4)'],
  [0, 'II*\0', 'a TIFF image'],
  [0, 'MM\0*', 'a TIFF image'],
  [0, 'II+\0', 'a TIFF image'],
  [0, 'MM\0+', 'a TIFF image'],
  [0, '%PDF', 'a PDF document'],
  [0, '8BPS', 'a Photoshop image'],
  [4, 'jP  \r\n\x87\n', 'a JPEG 2000 image'],
  [0, '\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  [4, 'JXL \r\n\x87\n', 'a JPEG XL image'],
  [0, '\xff\x0a', 'a JPEG XL image'],
  [0, '\0\0\x01\0', 'an icon (ICO)'],
  [0, 'P1', 'a PBM image'],
  [0, 'P4', 'a PBM image'],
  [0, 'P7', 'a PAM image'],
  [0, '\x93NUMPY', 'a NumPy array'],
  [0, '\x89HDF', 'an HDF5 file'],
  [0, 'PK\x03\x04', 'a ZIP archive'],
  [0, '\x1f\x8b', 'a gzip archive'],
  [257, 'ustar', 'a tar archive'],
  [0, 'version https://git-lfs.github.com', 'a pointer of Git LFS, not the file itself'],
];

/** The beginnings of unwanted text files, in lower case. */
const TEXTS: readonly (readonly [pattern: RegExp, title: string])[] = [
  [/^<\?xml[^>]*>\s*(<!--.*?-->\s*|<!doctype svg[^>]*>\s*)*<svg|^<svg|<!doctype svg/s, 'an SVG drawing'],
  [/^<!doctype html|^<html|^<head/, 'a web page (HTML)'],
  [/^<\?xml/, 'an XML document'],
];

/**
 * The kind of a file that no format of images matches.
 *
 * @returns for example `a TIFF image`; null if the kind is not known.
 */
export function titleOfOther(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return 'empty';
  const found = SIGNATURES.find(([offset, text]) => hasText(bytes, text, offset));
  if (found) return found[2];
  const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, 1024)).replace(/^\xef\xbb\xbf/, '');
  return TEXTS.find(([pattern]) => pattern.test(beginning.trimStart().toLowerCase()))?.[1] ?? null;
}
