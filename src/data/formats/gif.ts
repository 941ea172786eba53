/** GIF files: the first frame. */
import type { ByteImage } from '../../common/image.js';
import { hasText, type ImageFormat, type Strictness, viewOf } from './format.js';
import { decodeManaged, decodePlain } from './libvips.js';

export const gif: ImageFormat = {
  title: 'GIF',
  extensions: ['gif'],
  matches: (bytes) => hasText(bytes, 'GIF87a') || hasText(bytes, 'GIF89a'),
  decode: { torchvision: decodeGif, 'colour-managed': decodeManaged },
};

/** As Pillow does: transparent pixels have the colour that the palette gives them, and so do those beside the frame. */
async function decodeGif(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  const frame = firstFrame(bytes);
  const image = await decodePlain(frame === undefined ? bytes : opaque(bytes, frame), failOn);
  if (frame !== undefined) fillAround(image, frame, colourOf(bytes, frame));
  return image;
}

/** Offsets in the file, and the first frame's place on the canvas. */
interface Frame {
  /** The flags of the graphic control extension; undefined: there is none. */
  readonly flagsAt: number | undefined;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** The palette; undefined: there is none. */
  readonly paletteAt: number | undefined;
}

/** undefined: the file has no frame, or ends before it. The decoder reports this. */
function firstFrame(bytes: Uint8Array): Frame | undefined {
  const view = viewOf(bytes);
  const flags = bytes[10]!;
  const globalPalette = flags & 0x80 ? 13 : undefined;
  let flagsAt: number | undefined;
  let at = 13 + paletteBytes(flags);
  while (at + 10 < bytes.length) {
    const block = bytes[at];
    if (block === 0x2c) {
      const own = bytes[at + 9]! & 0x80;
      const short = (offset: number): number => view.getUint16(at + offset, true);
      const place = { left: short(1), top: short(3), width: short(5), height: short(7) };
      return { flagsAt, ...place, paletteAt: own ? at + 10 : globalPalette };
    }
    if (block !== 0x21) return undefined;
    if (bytes[at + 1] === 0xf9) flagsAt = at + 3;
    for (at += 2; at < bytes.length && bytes[at] !== 0;) at += bytes[at]! + 1;
    at += 1;
  }
  return undefined;
}

function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** The same file without transparency. */
function opaque(bytes: Uint8Array, { flagsAt }: Frame): Uint8Array {
  if (flagsAt === undefined || (bytes[flagsAt]! & 1) === 0) return bytes;
  const copy = Uint8Array.from(bytes);
  copy[flagsAt]! &= ~1;
  return copy;
}

/** The colour beside the frame: of the transparent index, or of index 0. */
function colourOf(bytes: Uint8Array, { flagsAt, paletteAt }: Frame): Uint8Array {
  const index = flagsAt !== undefined && (bytes[flagsAt]! & 1) === 1 ? bytes[flagsAt + 3]! : 0;
  const colour = paletteAt === undefined ? [] : bytes.subarray(paletteAt + 3 * index, paletteAt + 3 * index + 3);
  return colour.length === 3 ? Uint8Array.from(colour) : new Uint8Array(3).fill(index);
}

function fillAround({ data, height, width }: ByteImage, frame: Frame, colour: Uint8Array): void {
  const [right, bottom] = [frame.left + frame.width, frame.top + frame.height];
  if (frame.left === 0 && frame.top === 0 && right >= width && bottom >= height) return;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = x >= frame.left && x < right && y >= frame.top && y < bottom;
      if (!inside) data.set(colour, 3 * (y * width + x));
    }
  }
}
