/**
 * A view of an image, as data: which of its pixels, through which filters, mirrored or not. `data/augment.ts` draws
 * views. They are computed here, one by one as arrays, or by `ops/crop.ts` on the device, a batch at a time.
 */
import type { ByteImage, FloatImage } from './image.js';
import { applyTaps, type FilterTaps } from './resample.js';
import { newPixels } from './working-memory.js';

export interface View {
  readonly image: ByteImage;
  /** The position in the image of pixel 0 of the taps. */
  readonly top: number;
  readonly left: number;
  /** Taps from the image's rows to the view's, and the same for columns. */
  readonly rows: FilterTaps;
  readonly columns: FilterTaps;
  /** Mirrored left to right, after resampling. */
  readonly mirrored: boolean;
}

/** The pixels of a view, in [0, 1]; overshoots of the cubic filter are clamped. */
export function viewPixels({ image, top, left, rows, columns, mirrored }: View): FloatImage {
  const pixels = applyTaps(image, { top, left }, rows, columns);
  return mirrored ? horizontalFlip(pixels) : pixels;
}

/** The image mirrored left to right. */
export function horizontalFlip({ data, height, width }: FloatImage): FloatImage {
  const flipped = newPixels(data.length);
  for (let y = 0; y < height; y++) {
    let from = (y + 1) * width * 3;
    for (let to = y * width * 3; to < (y + 1) * width * 3; to += 3) {
      from -= 3;
      flipped[to] = data[from]!;
      flipped[to + 1] = data[from + 1]!;
      flipped[to + 2] = data[from + 2]!;
    }
  }
  return { data: flipped, height, width };
}
