/**
 * Pillow's operations on single values of a channel, as look-up tables: contrast stretching, equalisation, inversion,
 * fewer bits, solarisation. The results equal Pillow's bytes (`PIL.ImageOps`).
 */
import type { ByteImage } from '../../common/image.js';

/** The new value of each of the 256 values of a channel. */
type Table = Uint8ClampedArray;

const tableOf = (value: (old: number) => number): Table => Uint8ClampedArray.from({ length: 256 }, (_, i) => value(i));

const SAME = tableOf((value) => value);

/** Applies a table to each channel. Image data must not be changed in place: they may be those of the data set. */
function applyTables(
  { data, height, width }: ByteImage,
  [red, green, blue]: readonly [Table, Table, Table],
): ByteImage {
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    result[i] = red[data[i]!]!;
    result[i + 1] = green[data[i + 1]!]!;
    result[i + 2] = blue[data[i + 2]!]!;
  }
  return { data: result, height, width };
}

const applyTable = (image: ByteImage, table: Table): ByteImage => applyTables(image, [table, table, table]);

/** Applies to each channel the table that follows from the histogram of the channel. */
function applyByHistogram(image: ByteImage, tableFor: (histogram: Uint32Array) => Table): ByteImage {
  const histograms = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)] as const;
  const { data } = image;
  const [red, green, blue] = histograms;
  for (let i = 0; i < data.length; i += 3) {
    red[data[i]!]! += 1;
    green[data[i + 1]!]! += 1;
    blue[data[i + 2]!]! += 1;
  }
  return applyTables(image, [tableFor(red), tableFor(green), tableFor(blue)]);
}

/** Stretches each channel linearly to 0 … 255. A channel of one value stays the same. */
export function autoContrast(image: ByteImage): ByteImage {
  return applyByHistogram(image, (histogram) => {
    const low = histogram.findIndex((count) => count > 0);
    const high = histogram.findLastIndex((count) => count > 0);
    if (high <= low) return SAME;
    const scale = 255 / (high - low);
    const offset = -low * scale;
    return tableOf((value) => Math.trunc(value * scale + offset));
  });
}

/**
 * Equalises the histogram of each channel. A channel stays the same if it has one value, or if fewer than 255 pixels lie
 * below its highest one.
 */
export function equalize(image: ByteImage): ByteImage {
  return applyByHistogram(image, (histogram) => {
    const used = histogram.filter((count) => count > 0);
    const step = Math.floor((image.height * image.width - (used.at(-1) ?? 0)) / 255);
    if (used.length <= 1 || step === 0) return SAME;
    let below = Math.floor(step / 2);
    return tableOf((value) => {
      const level = Math.floor(below / step);
      below += histogram[value]!;
      return level;
    });
  });
}

export const invert = (image: ByteImage): ByteImage =>
  applyTable(
    image,
    tableOf((value) => 255 - value),
  );

/** Keeps the highest bits of each value, 0 to 8; with 0, the image is black. */
export const posterize = (image: ByteImage, bits: number): ByteImage => {
  const mask = 256 - 2 ** (8 - bits);
  return applyTable(
    image,
    tableOf((value) => value & mask),
  );
};

/** Inverts values from the threshold on. */
export const solarize = (image: ByteImage, threshold: number): ByteImage =>
  applyTable(
    image,
    tableOf((value) => (value < threshold ? value : 255 - value)),
  );

/** Adds to values below 128, up to 255. */
export const solarizeAdd = (image: ByteImage, added: number): ByteImage =>
  applyTable(
    image,
    tableOf((value) => (value < 128 ? value + added : value)),
  );
