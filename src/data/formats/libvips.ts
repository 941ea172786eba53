/** Decoding by sharp (libvips): the formats that it reads share these pipelines. */
import type { Sharp } from 'sharp';
import type { ByteImage } from '../../common/image.js';
import { MOST_PIXELS, type Strictness } from './format.js';

/** sharp takes long to load, and every command loads the formats: it is imported when the first file is decoded. */
let loading: Promise<typeof import('sharp').default> | undefined;

async function load() {
  const { default: sharp } = await import('sharp');
  // Files are decoded once each and many at a time: libvips' own cache and its threads within one image only cost.
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}

function open(bytes: Uint8Array, options: { failOn: Strictness; ignoreIcc: boolean }): Promise<Sharp> {
  loading ??= load();
  return loading.then((sharp) => sharp(bytes, { limitInputPixels: MOST_PIXELS, ...options }));
}

/** The longest that one image is decoded, in seconds. The largest allowed image takes about 10 s. */
const MOST_SECONDS = 120;

/** Decoding took longer than allowed. How long it takes depends on the machine, so that the file does not count as damaged. */
export class DecodingTimeout extends Error {
  override name = 'DecodingTimeout';

  constructor() {
    super(`it is not decoded after ${MOST_SECONDS} s`);
  }
}

/**
 * The samples of an image, without its colour profile and not turned by its EXIF. The caller has recognised the format.
 *
 * @param channels How many the pipeline is expected to have.
 * @param convert From what libvips decodes to what is wanted; ends in `raw`.
 */
export async function decodeWithoutProfile(
  bytes: Uint8Array,
  failOn: Strictness,
  channels: number,
  convert: (image: Sharp) => Sharp,
): Promise<ByteImage> {
  return samplesOf(convert(await open(bytes, { failOn, ignoreIcc: true })), channels);
}

/** Decodes to RGB as Pillow's `convert('RGB')` does most images: alpha is dropped, and grey repeated. */
export function decodePlain(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  return decodeWithoutProfile(bytes, failOn, 3, (image) =>
    image.removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' }),
  );
}

/** Decodes to sRGB: the colour profile is applied, the image turned upright by its EXIF, transparency laid over white. */
export async function decodeManaged(bytes: Uint8Array, failOn: Strictness): Promise<ByteImage> {
  const image = await open(bytes, { failOn, ignoreIcc: false });
  const upright = image.autoOrient().flatten({ background: '#ffffff' });
  return samplesOf(upright.toColourspace('srgb').raw({ depth: 'uchar' }), 3);
}

async function samplesOf(pipeline: Sharp, channels: number): Promise<ByteImage> {
  const { data, info } = await pipeline
    .timeout({ seconds: MOST_SECONDS })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw error instanceof Error && error.message.startsWith('timeout') ? new DecodingTimeout() : error;
    });
  if (info.channels !== channels) throw new Error(`decoded to ${info.channels} channels instead of ${channels}`);
  return { data, height: info.height, width: info.width };
}
