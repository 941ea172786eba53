/** The bytes of an image file to RGB. Which file, and what to do when it is broken, is the caller's. */
import { messageOf } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import type { DecodeMode } from './formats/format.js';
import { formatOf } from './formats/index.js';
import { DecodingTimeout } from './formats/libvips.js';

export interface DecodedImage {
  readonly image: ByteImage;
  /** What the decoder warned of, such as missing data in place of which the image is grey; null: nothing. */
  readonly damage: string | null;
}

/**
 * Decodes an image at its native size to 8-bit RGB. Its content decides the format, not its name.
 *
 * @param mode `torchvision`: the bits of `PIL.Image.open(file).convert('RGB')`. No colour profile is applied, EXIF
 *   orientation is ignored, and so is transparency. `colour-managed`: sRGB by its profile, upright, over white.
 * @throws Error for bytes that are truncated, of no format that is read, or of too many pixels; {@link DecodingTimeout}.
 */
export async function decodeImage(bytes: Uint8Array, mode: DecodeMode = 'torchvision'): Promise<DecodedImage> {
  const decode = formatOf(bytes).decode[mode];
  try {
    return { image: await decode(bytes, 'warning'), damage: null };
  } catch (error) {
    if (error instanceof DecodingTimeout) throw error;
    // Rare. libvips reports warnings of all images together, so only this shows which image has one.
    return { image: await decode(bytes, 'error'), damage: firstLine(messageOf(error)) };
  }
}

export function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]!;
}
