/** PNG files. */
import type { ByteImage } from '../../common/image.js';
import { greyImage } from './grey.js';
import { hasText, type ImageFormat, type Strictness } from './format.js';
import { decodeManaged, decodePlain, decodeWithoutProfile } from './libvips.js';

export const png: ImageFormat = {
  title: 'PNG',
  extensions: ['png'],
  matches: (bytes) => bytes[0] === 0x89 && hasText(bytes, 'PNG\r\n\x1a\n', 1),
  decode: { torchvision: decodePng, 'colour-managed': decodeManaged },
};

function decodePng(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  const [depth, colour] = [bytes[24], bytes[25]];
  return depth === 16 && colour === GREY ? decodeDeepGrey(bytes, failOn) : decodePlain(bytes, failOn);
}

const GREY = 0;

/** 16-bit grey as Pillow converts it: not scaled, but cut off at 255. */
async function decodeDeepGrey(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  const { data, height, width } = await decodeWithoutProfile(bytes, failOn, 1, (image) =>
    image.pipelineColourspace('grey16').toColourspace('grey16').raw({ depth: 'ushort' }),
  );
  const values = new Uint16Array(data.buffer, data.byteOffset, height * width);
  return greyImage(height, width, (i) => Math.min(values[i]!, 255));
}
