/** JPEG files. */
import type { ByteImage } from '../../common/image.js';
import { type ImageFormat, type Strictness, viewOf } from './format.js';
import { decodeManaged, decodePlain, decodeWithoutProfile } from './libvips.js';

export const jpeg: ImageFormat = {
  title: 'JPEG',
  extensions: ['jpg', 'jpeg'],
  matches: ([first, second, third]) => first === 0xff && second === 0xd8 && third === 0xff,
  decode: { torchvision: decodeJpeg, 'colour-managed': decodeManaged },
};

function decodeJpeg(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  const components = componentsOf(bytes);
  if (components === 2) throw new Error('it has 2 colour components; 1, 3 and 4 are decoded');
  return components === 4 ? decodeCmyk(bytes, failOn) : decodePlain(bytes, failOn);
}

/** The number of colour components in the frame header; undefined: there is none, and the decoder reports this. */
function componentsOf(bytes: Uint8Array): number | undefined {
  const view = viewOf(bytes);
  for (let at = 2; at + 9 < bytes.length;) {
    // Between segments there may be fill bytes and stray bytes, which decoders pass over.
    if (bytes[at] !== 0xff || bytes[at + 1] === 0xff || bytes[at + 1] === 0) {
      at += 1;
      continue;
    }
    const marker = bytes[at + 1]!;
    if (isFrame(marker)) return bytes[at + 9];
    if (marker === 0xda) return undefined;
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += standsAlone ? 2 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** SOF0 to SOF15, without the markers of tables among them (DHT, JPG, DAC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** CMYK and YCCK as Pillow converts them: each ink takes its part of the light, with no colour profile. */
async function decodeCmyk(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  const {
    data: cmyk,
    height,
    width,
  } = await decodeWithoutProfile(bytes, failOn, 4, (image) =>
    image.pipelineColourspace('cmyk').toColourspace('cmyk').raw({ depth: 'uchar' }),
  );
  const data = new Uint8Array(3 * height * width);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    const light = 255 - cmyk[from + 3]!;
    for (let ink = 0; ink < 3; ink++) data[to++] = light - productOf(cmyk[from + ink]!, light);
  }
  return { data, height, width };
}

/** a · b / 255, rounded; for bytes. */
function productOf(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
