/**
 * The stored numbers of a PNG file with one number for each pixel: indices of a palette, or grey values. libvips
 * replaces indices by the colours of the palette, which are no classes. (PNG specification, third edition)
 */
import { inflateSync } from 'node:zlib';
import type { ClassMask } from '../target.js';
import { checkSize, viewOf } from './format.js';
import { png } from './png.js';

const GREY = 0;
const PALETTE = 3;
const COLOURS: Readonly<Record<number, string>> = {
  2: 'colours (RGB)',
  4: 'grey values with transparency',
  6: 'colours with transparency (RGBA)',
};

/** Bytes before the first chunk. */
const SIGNATURE = 8;

interface Header {
  width: number;
  height: number;
  /** Bits of a pixel: 1, 2, 4, 8 or 16. */
  depth: number;
}

/**
 * Decodes a mask.
 *
 * @throws Error for bytes that are no PNG of indices or grey values, or that are truncated or interlaced.
 */
export function decodeIndexedPng(bytes: Uint8Array): ClassMask {
  if (!png.matches(bytes)) throw new Error('it is no PNG file');
  const { header, data } = readChunks(bytes);
  const { width, height, depth } = header;
  const stride = Math.ceil((width * depth) / 8);
  const expected = height * (stride + 1);
  const lines = inflateSync(data, { maxOutputLength: expected + 1 });
  if (lines.length < expected) throw new Error(`it has ${lines.length} of ${expected} bytes of pixels`);
  unfilter(lines, height, stride, Math.max(1, depth / 8));
  const indices = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const begin = y * (stride + 1) + 1;
    unpack(lines.subarray(begin, begin + stride), depth, indices.subarray(y * width, (y + 1) * width));
  }
  return { data: indices, height, width };
}

function readChunks(bytes: Uint8Array): { header: Header; data: Uint8Array } {
  const view = viewOf(bytes);
  let header: Header | undefined;
  const parts: Uint8Array[] = [];
  for (let at = SIGNATURE; ;) {
    if (at + 12 > bytes.length) throw new Error('it is truncated');
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw new Error('it is truncated');
    if (type === 'IHDR' && length >= 13) header = readHeader(view, at + 8);
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, end));
    if (type === 'IEND') break;
    at = end + 4;
  }
  if (header === undefined) throw new Error('it has no header');
  return { header, data: Buffer.concat(parts) };
}

function readHeader(view: DataView, at: number): Header {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [depth, colour, interlace] = [view.getUint8(at + 8), view.getUint8(at + 9), view.getUint8(at + 12)];
  checkSize(height, width);
  if (colour !== GREY && colour !== PALETTE) {
    throw new Error(
      `it has ${COLOURS[colour] ?? `colour type ${colour}`}, not one class for each pixel; save it with a palette or in grey`,
    );
  }
  if (![1, 2, 4, 8, 16].includes(depth)) throw new Error(`it has ${depth} bits for each pixel`);
  if (interlace !== 0) throw new Error('it is interlaced; save it without interlacing');
  return { width, height, depth };
}

/** Reverses the filters of all lines, in place. A line begins with the number of its filter. */
function unfilter(lines: Uint8Array, height: number, stride: number, step: number): void {
  for (let y = 0; y < height; y++) {
    const begin = y * (stride + 1) + 1;
    const above = begin - stride - 1;
    const filter = lines[begin - 1]!;
    if (filter > 4) throw new Error(`line ${y} has the unknown filter ${filter}`);
    if (filter === 0) continue;
    for (let x = 0; x < stride; x++) {
      const a = x < step ? 0 : lines[begin + x - step]!;
      const b = y === 0 ? 0 : lines[above + x]!;
      const c = x < step || y === 0 ? 0 : lines[above + x - step]!;
      lines[begin + x]! += filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);
    }
  }
}

/** The neighbour (left, above, above left) that is nearest to left + above − above left. */
function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/** Numbers of `depth` bits, the first in the highest bits of a byte. */
function unpack(line: Uint8Array, depth: number, out: Uint8Array): void {
  if (depth === 8) {
    out.set(line);
    return;
  }
  for (let x = 0; x < out.length; x++) {
    if (depth === 16) {
      const value = line[2 * x]! * 256 + line[2 * x + 1]!;
      if (value > 255) throw new Error(`a pixel has the number ${value}; classes are numbered up to 254`);
      out[x] = value;
    } else {
      const bit = x * depth;
      out[x] = (line[bit >> 3]! >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  }
}
