/**
 * JPEG, PNG and WebP bytes to RGB, by sharp (libvips). Which file, and what to do when it is broken, is the caller's.
 */
import sharp from 'sharp';
import type { ByteImage } from '../common/image.js';

// Files are decoded once each and many at a time: libvips' own cache and its threads within one image only cost.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes an image at its native size to 8-bit sRGB. It is turned as its EXIF orientation says; transparency is laid
 * over white; grey, palette, CMYK and 16-bit images are converted, by their colour profile where they have one.
 *
 * @throws what sharp throws, for bytes that are truncated or no image. Mere warnings of the decoder pass: a good part
 * of the photographs in use carry stray bytes that no viewer minds.
 */
export async function decodeImage(bytes: Uint8Array): Promise<ByteImage> {
  const { data, info } = await sharp(bytes, { failOn: 'error' })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`decoded to ${info.channels} channels instead of 3`);
  return { data, height: info.height, width: info.width };
}
