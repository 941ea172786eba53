/** WebP files. */
import { hasText, type ImageFormat } from './format.js';
import { decodeManaged, decodePlain } from './libvips.js';

export const webp: ImageFormat = {
  title: 'WebP',
  extensions: ['webp'],
  matches: (bytes) => hasText(bytes, 'RIFF') && hasText(bytes, 'WEBP', 8),
  decode: { torchvision: decodePlain, 'colour-managed': decodeManaged },
};
