/**
 * The image formats that are read. The content of a file decides its format, not its name. Other formats that libvips could
 * load (SVG, TIFF, HEIF) never reach it. To add a format, add a file beside this one and a line here.
 */
import { registry } from '../../common/registry.js';
import { bmp } from './bmp.js';
import type { ImageFormat } from './format.js';
import { gif } from './gif.js';
import { jpeg } from './jpeg.js';
import { netpbm } from './netpbm.js';
import { titleOfOther } from './other.js';
import { png } from './png.js';
import { webp } from './webp.js';

export const IMAGE_FORMATS = registry({
  jpeg,
  png,
  webp,
  gif,
  bmp,
  netpbm,
}) satisfies Record<string, ImageFormat>;

const FORMATS: readonly ImageFormat[] = Object.values(IMAGE_FORMATS);
const EXTENSIONS = FORMATS.flatMap(({ extensions }) => extensions);

/** Names of files that are read, in any case. */
export const IMAGE_NAME = new RegExp(`\\.(${EXTENSIONS.join('|')})$`, 'i');
/** In a sentence: `.jpg, .jpeg … and .pgm`. */
export const IMAGE_KINDS = `${EXTENSIONS.slice(0, -1)
  .map((extension) => `.${extension}`)
  .join(', ')} and .${EXTENSIONS.at(-1)!}`;

const TITLES = FORMATS.map(({ title }) => title).join(', ');

/**
 * The format of a file's content.
 *
 * @throws Error that names the format of the file.
 */
export function formatOf(bytes: Uint8Array): ImageFormat {
  const format = FORMATS.find(({ matches }) => matches(bytes));
  if (format) return format;
  const other = titleOfOther(bytes);
  if (other === 'empty') throw new Error('it is empty');
  throw new Error(`it is ${other ?? 'no image of a known format'}, and ${TITLES} are read`);
}
