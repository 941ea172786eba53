/** Draws panels as one PNG: rows of pictures under captions, small ones enlarged without smoothing. */
import sharp from 'sharp';
import type { FloatImage } from '../common/image.js';
import type { Panels } from './panels.js';

/** Panels are enlarged by the largest whole number that keeps them within this many pixels. */
const LARGEST_PANEL = 224;
const GAP = 4;
const CAPTION_HEIGHT = 20;
const BACKGROUND = '#ffffff';

/**
 * Renders panels.
 *
 * @param options.captions Whether a line of captions stands on top. It takes a font; without one it stays empty.
 * @returns a PNG file
 */
export async function renderPreview({ captions, rows }: Panels, options: { captions: boolean }): Promise<Buffer> {
  const size = rows[0]![0]!.width;
  const scale = Math.max(1, Math.floor(LARGEST_PANEL / size));
  const pitch = size * scale + GAP;
  const top = options.captions ? CAPTION_HEIGHT : GAP;
  const width = GAP + captions.length * pitch;

  const pictures = rows.flatMap((row, y) =>
    row.map((image, x) => ({
      input: enlargedBytes(image, scale),
      raw: { width: size * scale, height: size * scale, channels: 3 as const },
      left: GAP + x * pitch,
      top: top + y * pitch,
    })),
  );
  const overlay = options.captions ? [{ input: captionLine(captions, pitch, width), left: 0, top: 0 }] : [];
  return sharp({ create: { width, height: top + rows.length * pitch, channels: 3, background: BACKGROUND } })
    .composite([...pictures, ...overlay])
    .removeAlpha()
    .png()
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

function captionLine(captions: readonly string[], pitch: number, width: number): Buffer {
  const texts = captions.map(
    (caption, x) => `<text x="${GAP + (x + 0.5) * pitch - GAP / 2}" y="14" text-anchor="middle">${caption}</text>`,
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${CAPTION_HEIGHT}">` +
      `<g font-family="sans-serif" font-size="13" fill="#202020">${texts.join('')}</g></svg>`,
  );
}
