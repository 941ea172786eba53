/** Digital corruptions: less contrast, an elastic distortion, coarse pixels, JPEG's artefacts; and no colour. */
import type { FloatImage } from '../../common/image.js';
import { resampleImage, wholeImage } from '../../common/resample.js';
import { defineCorruption, layerOf, mapImage, type Layer } from './corruption.js';
import { gaussianBlur, warp } from './filters.js';

export const contrast = defineCorruption({
  name: 'contrast',
  title: 'contrast',
  category: 'digital',
  small: [0.75, 0.5, 0.4, 0.3, 0.15],
  large: [0.4, 0.3, 0.2, 0.1, 0.05],
  apply(image, factor) {
    const means = new Float64Array(3);
    image.data.forEach((value, i) => (means[i % 3]! += value / (image.height * image.width)));
    return mapImage(image, (value, i) => (value - means[i % 3]!) * factor + means[i % 3]!);
  },
});

/** Strengths in pixels of images of a given side. */
const elastic = (side: number, shares: readonly [amount: number, sigma: number, moved: number]) => {
  const [amount, sigma, moved] = shares;
  return { amount: side * amount, sigma: side * sigma, moved: side * moved };
};

export const elasticTransform = defineCorruption({
  name: 'elastic_transform',
  title: 'elastic transform',
  category: 'digital',
  small: [
    elastic(32, [0, 0, 0.08]),
    elastic(32, [0.05, 0.2, 0.07]),
    elastic(32, [0.08, 0.06, 0.06]),
    elastic(32, [0.1, 0.04, 0.05]),
    elastic(32, [0.1, 0.03, 0.03]),
  ],
  large: [
    elastic(244, [2, 0.7, 0.1]),
    elastic(244, [2, 0.08, 0.2]),
    elastic(244, [0.05, 0.01, 0.02]),
    elastic(244, [0.07, 0.01, 0.02]),
    elastic(244, [0.12, 0.01, 0.02]),
  ],
  apply(image, { amount, sigma, moved }, random) {
    const { height, width } = image;
    // Three points move; the affine transformation that moves them so is applied to the image.
    const [y, x, third] = [Math.floor(height / 2), Math.floor(width / 2), Math.floor(Math.min(height, width) / 3)];
    const points = [
      [x + third, y + third],
      [x + third, y - third],
      [x - third, y - third],
    ] as const;
    const targets = points.map(([px, py]): Point => {
      return [px + random.uniform(-moved, moved), py + random.uniform(-moved, moved)];
    });
    const back = affineFrom(targets, points);
    const turned: FloatImage = warp(image, { height, width }, back, 'reflect-101');
    if (amount === 0) return turned;
    const [dx, dy] = ['x', 'y'].map((): Layer => {
      const drawn = layerOf(height, width, () => random.uniform(-1, 1));
      return gaussianBlur(drawn, sigma, { border: 'reflect', truncate: 3 });
    }) as [Layer, Layer];
    const place = (row: number, column: number) => {
      const i = row * width + column;
      return [row + amount * dy.data[i]!, column + amount * dx.data[i]!] as const;
    };
    return warp(turned, { height, width }, place, 'reflect');
  },
});

type Point = readonly [x: number, y: number];

/** The affine transformation from three points to three others, of places (y, x). */
function affineFrom(from: readonly Point[], to: readonly Point[]): (y: number, x: number) => readonly [number, number] {
  const [[x0, y0], [x1, y1], [x2, y2]] = [from[0]!, from[1]!, from[2]!];
  const area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
  return (y, x) => {
    // Barycentric coordinates are the same on both sides.
    const second = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / area;
    const third = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / area;
    const first = 1 - second - third;
    const along = (axis: 0 | 1): number => first * to[0]![axis] + second * to[1]![axis] + third * to[2]![axis];
    return [along(1), along(0)];
  };
}

export const pixelate = defineCorruption({
  name: 'pixelate',
  title: 'pixelate',
  category: 'digital',
  small: [0.95, 0.9, 0.85, 0.75, 0.65],
  large: [0.6, 0.5, 0.4, 0.3, 0.25],
  apply(image, share) {
    const [height, width] = [Math.trunc(image.height * share), Math.trunc(image.width * share)];
    const coarse = inBytes(resampleImage(image, wholeImage(image), height, width, 'box'));
    return inBytes(resampleImage(coarse, wholeImage(coarse), image.height, image.width, 'box'));
  },
});

const inBytes = (image: FloatImage): FloatImage => mapImage(image, (value) => Math.round(255 * value) / 255);

export const jpegCompression = defineCorruption({
  name: 'jpeg_compression',
  title: 'JPEG compression',
  category: 'digital',
  small: [80, 65, 58, 50, 40],
  large: [25, 18, 15, 10, 7],
  async apply({ data, height, width }, quality) {
    // Every command loads this file, and the decoder takes long to load.
    const [{ default: sharp }, { decodeImage }] = await Promise.all([import('sharp'), import('../decode.js')]);
    const bytes = Uint8Array.from(data, (value) => Math.round(255 * value));
    const file = await sharp(bytes, { raw: { height, width, channels: 3 } })
      .jpeg({ quality, chromaSubsampling: '4:2:0' })
      .toBuffer();
    const { image } = await decodeImage(file);
    return { data: Float32Array.from(image.data, (value) => value / 255), height, width };
  },
});

export const grey = defineCorruption({
  name: 'grey',
  title: 'grey',
  category: 'extra',
  small: [0.2, 0.4, 0.6, 0.8, 1],
  large: [0.2, 0.4, 0.6, 0.8, 1],
  apply(image, share) {
    const { data } = image;
    return mapImage(image, (value, i) => {
      const first = i - (i % 3);
      const luma = 0.299 * data[first]! + 0.587 * data[first + 1]! + 0.114 * data[first + 2]!;
      return (1 - share) * value + share * luma;
    });
  },
});
