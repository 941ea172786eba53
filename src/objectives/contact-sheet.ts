/** Draws panels as one PNG: rows of images under captions; small images are enlarged without smoothing. */
import sharp from 'sharp';
import { inOneLine } from '../common/printable.js';
import type { FloatImage } from '../common/image.js';
import type { Panels } from './panels.js';

const LARGEST_PANEL = 224;
const GAP = 4;
const CAPTION_HEIGHT = 20;
const LABEL_WIDTH = 150;
const BACKGROUND = '#ffffff';

/**
 * Renders panels.
 *
 * @param options.captions Whether to write captions above the columns. On a machine without fonts the line stays empty.
 * @param options.labels The text left of each row.
 * @param options.largest Panels are enlarged by the largest whole number for which they have at most this many pixels.
 * @param options.colours Most colours of the file. A limit makes it much smaller with hardly visible loss. Default:
 * all.
 * @returns a PNG file
 */
export async function renderPreview(
  { captions, rows }: Panels,
  options: { captions: boolean; labels?: readonly string[]; largest?: number; colours?: number },
): Promise<Buffer> {
  const size = rows[0]![0]!.width;
  const scale = Math.max(1, Math.floor((options.largest ?? LARGEST_PANEL) / size));
  const pitch = size * scale + GAP;
  const top = options.captions ? CAPTION_HEIGHT : GAP;
  const left = options.labels ? LABEL_WIDTH : GAP;
  const [width, height] = [left + captions.length * pitch, top + rows.length * pitch];

  const pictures = rows.flatMap((row, y) =>
    row.map((image, x) => ({
      input: enlargedBytes(image, scale),
      raw: { width: size * scale, height: size * scale, channels: 3 as const },
      left: left + x * pitch,
      top: top + y * pitch,
    })),
  );
  const words = [
    ...(options.captions ? captions : []).map((text, x) => word(text, left + (x + 0.5) * pitch - GAP / 2, 14)),
    ...(options.labels ?? []).map((text, y) => word(text, LABEL_WIDTH / 2, top + (y + 0.5) * pitch)),
  ];
  return sharp({ create: { width, height, channels: 3, background: BACKGROUND } })
    .composite([
      ...pictures,
      ...(words.length > 0 ? [{ input: lettering(words, width, height), left: 0, top: 0 }] : []),
    ])
    .removeAlpha()
    .png(options.colours === undefined ? {} : { colours: options.colours, dither: 0 })
    .toBuffer();
}

/** Bytes of an image in [0, 1], each pixel repeated `scale` times along both axes. */
function enlargedBytes({ data, height, width }: FloatImage, scale: number): Buffer {
  const bytes = Buffer.alloc(data.length * scale * scale);
  let to = 0;
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 3;
      for (let c = 0; c < 3; c++) bytes[to++] = Math.round(255 * Math.min(Math.max(data[from + c]!, 0), 1));
    }
  }
  return bytes;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** A word centred on a point. */
function word(text: string, x: number, y: number): string {
  const escaped = inOneLine(text).replace(/[&<>]/g, (character) => ENTITIES[character]!);
  return `<text x="${x}" y="${y}" text-anchor="middle">${escaped}</text>`;
}

function lettering(words: readonly string[], width: number, height: number): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      `<g font-family="sans-serif" font-size="13" fill="#202020">${words.join('')}</g></svg>`,
  );
}
