/**
 * The corruptions of ImageNet-C and CIFAR-10-C (Hendrycks & Dietterich 2019), in their order, and one that is reported
 * apart. Adding one is an entry and a line here.
 */
import type { ByteImage, FloatImage } from '../../common/image.js';
import { stream } from '../../common/random.js';
import { namesOf, registry } from '../../common/registry.js';
import { defocusBlur, glassBlur, motionBlur, zoomBlur } from './blur.js';
import type { Corruption } from './corruption.js';
import { contrast, elasticTransform, grey, jpegCompression, pixelate } from './digital.js';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.js';
import { brightness, fog, frost, snow } from './weather.js';

export const CORRUPTIONS = registry({
  gaussian_noise: gaussianNoise,
  shot_noise: shotNoise,
  impulse_noise: impulseNoise,
  defocus_blur: defocusBlur,
  glass_blur: glassBlur,
  motion_blur: motionBlur,
  zoom_blur: zoomBlur,
  snow,
  frost,
  fog,
  brightness,
  contrast,
  elastic_transform: elasticTransform,
  pixelate,
  jpeg_compression: jpegCompression,
  grey,
});

export type CorruptionName = keyof typeof CORRUPTIONS;
export const CORRUPTION_NAMES = namesOf(CORRUPTIONS);

/** The corruptions that the mean error counts: those of ImageNet-C. */
export const COUNTED_CORRUPTIONS = CORRUPTION_NAMES.filter((name) => CORRUPTIONS[name].category !== 'extra');

/**
 * A corrupted image. What is drawn depends on the corruption, its severity and the image's index in its split: every run
 * is measured on the same images.
 *
 * @param image In [0, 1].
 * @param severity From 1 to 5.
 */
export async function corrupt(
  image: FloatImage,
  name: CorruptionName,
  severity: number,
  index: number,
): Promise<ByteImage> {
  const { apply }: Corruption = CORRUPTIONS[name];
  const { data, height, width } = await apply(image, severity, stream(0, 'corruption', name, severity, index));
  // Bytes are cut off, not rounded, as NumPy's conversion does in the original. Float32 has 1 · 255 / 255 < 1 for some.
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) bytes[i] = Math.floor(255 * Math.min(Math.max(data[i]!, 0), 1) + 1e-3);
  return { data: bytes, height, width };
}
