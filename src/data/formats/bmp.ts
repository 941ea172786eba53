/** Windows bitmaps (BMP), which libvips does not read: uncompressed, with bit fields, and run-length encoded. */
import type { ByteImage } from '../../common/image.js';
import { checkSize, hasText, type ImageFormat, viewOf } from './format.js';

const decode = (bytes: Uint8Array): Promise<ByteImage> => Promise.resolve().then(() => decodeBmp(bytes));

export const bmp: ImageFormat = {
  title: 'BMP',
  extensions: ['bmp'],
  matches: (bytes) =>
    hasText(bytes, 'BM') && bytes.length >= 18 && HEADER_SIZES.includes(viewOf(bytes).getUint32(14, true)),
  decode: { torchvision: decode, 'colour-managed': decode },
};

/** Of the information header: OS/2's, Windows 3's and its successors. */
const HEADER_SIZES = [12, 40, 52, 56, 64, 108, 124];

const COMPRESSION = { none: 0, rle8: 1, rle4: 2, bitFields: 3 } as const;

interface Header {
  readonly height: number;
  readonly width: number;
  /** Bits a pixel. */
  readonly depth: number;
  readonly compression: number;
  /** Rows are stored from the bottom up, unless the height is negative. */
  readonly topDown: boolean;
  /** Offsets into the file. */
  readonly paletteAt: number;
  readonly pixelsAt: number;
  readonly colours: number;
  /** Bytes of each colour of the palette. */
  readonly colourBytes: 3 | 4;
  /** The bits of red, green and blue in a pixel of 16 or 32 bits. */
  readonly masks: readonly number[];
}

function decodeBmp(bytes: Uint8Array): ByteImage {
  const header = readHeader(bytes);
  const { height, width, depth, compression, topDown } = header;
  checkSize(height, width);
  const rowAt = (y: number): number => 3 * width * (topDown ? y : height - 1 - y);
  const data = new Uint8Array(3 * height * width);
  if (depth <= 8) {
    const indices = compression === COMPRESSION.none ? unpack(bytes, header) : expandRuns(bytes, header);
    const palette = paletteOf(bytes, header);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0, to = rowAt(y); x < width; x++, i++, to += 3) {
        for (let c = 0; c < 3; c++) data[to + c] = palette[3 * indices[i]! + c]!;
      }
    }
  } else {
    const row = rowReader(bytes, header);
    for (let y = 0; y < height; y++) row(y, data, rowAt(y));
  }
  return { data, height, width };
}

/** @throws Error for a header that is cut off, or of a kind that is not decoded. */
function readHeader(bytes: Uint8Array): Header {
  const view = viewOf(bytes);
  const size = view.getUint32(14, true);
  if (bytes.length < 14 + size) throw new Error('its header is cut off');
  const short = (at: number): number => view.getUint16(at, true);
  const long = (at: number): number => view.getUint32(at, true);
  const old = size === 12;
  const depth = short(old ? 24 : 28);
  const signedHeight = old ? short(20) : view.getInt32(22, true);
  const compression = old ? COMPRESSION.none : long(30);
  if (![1, 4, 8, 16, 24, 32].includes(depth)) throw new Error(`it has ${depth} bits a pixel`);
  const allowed: Readonly<Record<number, readonly number[]>> = {
    [COMPRESSION.none]: [1, 4, 8, 16, 24, 32],
    [COMPRESSION.rle8]: [8],
    [COMPRESSION.rle4]: [4],
    [COMPRESSION.bitFields]: [16, 24, 32],
  };
  if (allowed[compression]?.includes(depth) !== true) {
    throw new Error(`it has compression ${compression} with ${depth} bits a pixel, which is not decoded`);
  }
  const hasFields = compression === COMPRESSION.bitFields;
  const fieldsFollow = hasFields && size === 40;
  const paletteAt = 14 + size + (fieldsFollow ? 12 : 0);
  if (bytes.length < paletteAt) throw new Error('its header is cut off');
  const written = hasFields ? [54, 58, 62].map(long) : [0, 0, 0];
  return {
    height: Math.abs(signedHeight),
    width: old ? short(18) : view.getInt32(18, true),
    depth,
    compression,
    topDown: signedHeight < 0,
    paletteAt,
    pixelsAt: long(10) || paletteAt,
    colours: depth > 8 ? 0 : Math.min(256, (old ? 0 : long(46)) || 2 ** depth),
    colourBytes: old ? 3 : 4,
    masks: written.some((mask) => mask !== 0)
      ? written
      : depth === 16
        ? [0x7c00, 0x3e0, 0x1f]
        : [0xff0000, 0xff00, 0xff],
  };
}

/** RGB of 256 colours. Those that the file does not have are grey, as in Pillow. */
function paletteOf(bytes: Uint8Array, { paletteAt, colours, colourBytes }: Header): Uint8Array {
  const palette = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));
  for (let colour = 0; colour < colours; colour++) {
    const at = paletteAt + colour * colourBytes;
    if (at + 3 > bytes.length) throw new Error('its palette is cut off');
    palette.set([bytes[at + 2]!, bytes[at + 1]!, bytes[at]!], 3 * colour);
  }
  return palette;
}

/** Rows are filled up to whole multiples of four bytes. */
function strideOf({ width, depth }: Header): number {
  return 4 * Math.ceil((width * depth) / 32);
}

function checkLength(bytes: Uint8Array, header: Header): void {
  if (bytes.length < header.pixelsAt + strideOf(header) * header.height) throw new Error('it is truncated');
}

/** Indices into the palette, in the order of the file. */
function unpack(bytes: Uint8Array, header: Header): Uint8Array {
  checkLength(bytes, header);
  const { height, width, depth, pixelsAt } = header;
  const indices = new Uint8Array(height * width);
  const perByte = 8 / depth;
  for (let y = 0, i = 0; y < height; y++) {
    const start = pixelsAt + y * strideOf(header);
    for (let x = 0; x < width; x++, i++) {
      const byte = bytes[start + Math.floor(x / perByte)]!;
      indices[i] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  }
  return indices;
}

/** Run-length encoding: pairs of a count and a value; a count of 0 begins an end, a move or a literal run. */
function expandRuns(bytes: Uint8Array, { height, width, pixelsAt, compression }: Header): Uint8Array {
  const indices = new Uint8Array(height * width);
  const half = compression === COMPRESSION.rle4;
  const valueAt = (start: number, i: number): number => {
    if (!half) return bytes[start + i] ?? 0;
    const byte = bytes[start + (i >> 1)] ?? 0;
    return i % 2 === 0 ? byte >> 4 : byte & 15;
  };
  let [at, x, y] = [pixelsAt, 0, 0];
  const put = (value: number): void => {
    if (x < width && y < height) indices[y * width + x++] = value;
  };
  while (y < height) {
    if (at + 2 > bytes.length) throw new Error('it is truncated');
    const [count, value] = [bytes[at]!, bytes[at + 1]!];
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(half ? (i % 2 === 0 ? value >> 4 : value & 15) : value);
    } else if (value === 0) {
      [x, y] = [0, y + 1];
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      [x, y] = [x + (bytes[at] ?? 0), y + (bytes[at + 1] ?? 0)];
      at += 2;
    } else {
      for (let i = 0; i < value; i++) put(valueAt(at, i));
      const used = half ? Math.ceil(value / 2) : value;
      at += used + (used % 2);
    }
  }
  return indices;
}

/** Writes a row of pixels of 16, 24 or 32 bits. */
function rowReader(bytes: Uint8Array, header: Header): (y: number, data: Uint8Array, to: number) => void {
  checkLength(bytes, header);
  const { width, depth, pixelsAt } = header;
  const view = viewOf(bytes);
  const size = depth / 8;
  const pixelAt = (at: number): number => {
    if (size === 2) return view.getUint16(at, true);
    return size === 4 ? view.getUint32(at, true) : bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  };
  const fields = header.masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, most: mask >>> shift };
  });
  return (y, data, to) => {
    const start = pixelsAt + y * strideOf(header);
    for (let x = 0; x < width; x++) {
      const pixel = pixelAt(start + x * size);
      for (const { mask, shift, most } of fields) {
        const value = (pixel & mask) >>> shift;
        data[to++] = most === 0 ? 0 : Math.floor((value * 255) / most);
      }
    }
  };
}
