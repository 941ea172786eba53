/** The three versions of de-colorized. */
import { denormalizeImage, normalizeImage, type FloatImage } from '../../../src/common/image.js';
import { stream } from '../../../src/common/random.js';
import { decolorized, drawColourMix, mixToGrey, scaleSaturation } from '../../../src/task/styles/decolorized.js';
import { mean, noise, restyled } from '../../objectives/support.js';

const pixel = (...data: number[]): FloatImage => ({ data: Float32Array.from(data), height: 1, width: 1 });
const random = stream(0, 'decolorized');

it('shows Rec. 601 luminance in three equal channels', () => {
  const { data } = denormalizeImage(
    restyled(decolorized.part({ kind: 'decolorized', variant: 'luminance' }), normalizeImage(pixel(1, 0.5, 0)), random),
  );
  for (const value of data) expect(value).toBeCloseTo(0.299 + 0.5 * 0.587, 5);
});

it('does not change grey pixels', () => {
  for (const variant of [{ variant: 'luminance' }, { variant: 'saturation', saturation: 0.3 }] as const) {
    const style = decolorized.part({ kind: 'decolorized', ...variant });
    const { data } = denormalizeImage(restyled(style, normalizeImage(pixel(0.3, 0.3, 0.3)), random));
    for (const value of data) expect(value).toBeCloseTo(0.3, 5);
  }
});

it('scales the saturation and keeps hue and value', () => {
  // HSV (30°, 1, 1) → (30°, 0.3, 1)
  const { data } = scaleSaturation(pixel(1, 0.5, 0), 0.3);
  [1, 0.85, 0.7].forEach((value, i) => {
    expect(data[i]).toBeCloseTo(value, 6);
  });
});

it('is grey at saturation 0 and the image itself at 1', () => {
  const image = noise(4, 'image');
  const grey = scaleSaturation(image, 0).data;
  for (let i = 0; i < grey.length; i += 3) expect(new Set(grey.slice(i, i + 3)).size).toBe(1);
  const same = scaleSaturation(image, 1).data;
  expect(Math.max(...same.map((value, i) => Math.abs(value - image.data[i]!)))).toBeLessThan(1e-6);
});

it('mixes normalised channels at random, equal in all three', () => {
  const image = normalizeImage(noise(4, 'image'));
  const style = { kind: 'decolorized', variant: 'random-mix', normalizeMix: false } as const;
  const { data } = restyled(decolorized.part(style), image, stream(5, 'mix'));
  expect(data).toEqual(mixToGrey(image, drawColourMix(style, stream(5, 'mix'))).data);
  for (let i = 0; i < data.length; i += 3) expect(new Set(data.slice(i, i + 3)).size).toBe(1);
});

it('draws each weight from U(0, 2/3), independently', () => {
  const mixes = Array.from({ length: 2000 }, () => drawColourMix({ normalizeMix: false }, random));
  for (const channel of [0, 1, 2] as const) {
    const weights = mixes.map((mix) => mix[channel]);
    expect(Math.abs(mean(weights) - 1 / 3)).toBeLessThan(0.018); // ± 0.0043
    expect(Math.max(...weights)).toBeGreaterThan(0.66);
    expect(Math.max(...weights)).toBeLessThan(2 / 3);
  }
  const products = mixes.map(([r, g]) => (r - 1 / 3) * (g - 1 / 3));
  expect(Math.abs(mean(products))).toBeLessThan(0.004);
});

it('scales the weights to sum 1 if requested', () => {
  for (let i = 0; i < 100; i++) {
    const [r, g, b] = drawColourMix({ normalizeMix: true }, random);
    expect(r + g + b).toBeCloseTo(1, 12);
  }
});
