/** Netpbm's grey and colour images (PGM, PPM), which libvips as built for sharp does not read. */
import type { ByteImage } from '../../common/image.js';
import { greyImage } from './grey.js';
import { checkSize, type ImageFormat } from './format.js';

const decode = (bytes: Uint8Array): Promise<ByteImage> => Promise.resolve().then(() => decodeNetpbm(bytes));

export const netpbm: ImageFormat = {
  title: 'PPM',
  extensions: ['ppm', 'pgm'],
  // P2 and P3 have their samples as text, P5 and P6 as bytes.
  matches: ([letter, kind, space]) => letter === 0x50 && [0x32, 0x33, 0x35, 0x36].includes(kind!) && isSpace(space),
  decode: { torchvision: decode, 'colour-managed': decode },
};

function decodeNetpbm(bytes: Uint8Array): ByteImage {
  const kind = bytes[1]! - 0x30;
  const numbers = new Numbers(bytes, 2);
  const [width, height, largest] = [numbers.next(), numbers.next(), numbers.next()];
  checkSize(height, width);
  if (largest < 1 || largest > 65535) throw new Error(`its largest value is ${largest}`);

  const grey = kind === 2 || kind === 5;
  const count = height * width * (grey ? 1 : 3);
  const sampleOf = kind <= 3 ? () => numbers.next() : samples(bytes, numbers.at, count, largest);
  // Pillow scales grey values of more than 8 bits to 16 bits, and clips them at 255 in the conversion to RGB.
  const full = grey && largest > 255 ? 65535 : 255;
  const valueAt = (i: number): number =>
    Math.min(255, roundHalfEven((Math.min(sampleOf(i), largest) / largest) * full));
  if (grey) return greyImage(height, width, valueAt);
  return { data: Uint8Array.from({ length: count }, (_, i) => valueAt(i)), height, width };
}

/** The samples of a binary file: bytes, or two of them with the higher one first. */
function samples(bytes: Uint8Array, at: number, count: number, largest: number): (i: number) => number {
  const size = largest > 255 ? 2 : 1;
  if (bytes.length < at + count * size) throw new Error('it is truncated');
  return size === 1 ? (i) => bytes[at + i]! : (i) => bytes[at + 2 * i]! * 256 + bytes[at + 2 * i + 1]!;
}

/** Decimal numbers between white space and comments. */
class Numbers {
  /** After the last number, and the one white space that ends it. */
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    const bytes = this.#bytes;
    let text = '';
    for (; this.at < bytes.length; this.at++) {
      const byte = bytes[this.at]!;
      if (byte === 0x23) {
        while (this.at + 1 < bytes.length && bytes[this.at] !== 0x0a && bytes[this.at] !== 0x0d) this.at += 1;
      } else if (!isSpace(byte)) text += String.fromCharCode(byte);
      else if (text !== '') break;
      if (text.length > 10) break;
    }
    this.at += 1;
    if (!/^\d{1,10}$/.test(text))
      throw new Error(text === '' ? 'it is truncated' : `it has ${JSON.stringify(text)} for a number`);
    return Number(text);
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

/** Python's `round`, which Pillow scales with. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
